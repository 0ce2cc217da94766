"""The report of a run: its chapters in their order, from all that was measured and drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fashion_dgm.config import ReportConfig
from fashion_dgm.reporting import chapters
from fashion_dgm.reporting.claims import CLAIMS
from fashion_dgm.reporting.report import Chapter, ReportContent
from fashion_dgm.reporting.standing import with_benchmark

__all__ = ["compose", "made_by_name"]

_ADVERSARIAL = ("gan", "wgan", "wgan_gp")
_LOG_DET = ("truncation", "probes", "bias", "variance", "budget")


def compose(
    metrics: Mapping[str, Any],
    figures: Mapping[str, bytes | None],
    configuration: Mapping[str, Any],
    config: ReportConfig,
) -> ReportContent:
    """Returns all that the report says.

    Arguments:
        metrics: by what was measured, as `metrics.json` has them; of pipelines that run by name, those that were run.
        figures: PNGs by name, None where there is none.
        configuration: nested parameters to be shown.
    """
    ood, fid = metrics["ood"], metrics["fid"]
    flow = with_benchmark(metrics["flow"], ood)
    adversarial = {name: metrics[name] for name in _ADVERSARIAL if name in metrics}
    return ReportContent(
        title=config.title,
        highlights=chapters.highlights(flow=flow, ood=ood, fid=fid),
        chapters=tuple(_chapters({**metrics, "flow": flow, "adversarial": adversarial}, figures)),
        configuration=configuration,
        how_to_reproduce=(*config.reproduce, *made_by_name(metrics, config.reproduce[-1])),
        claims=CLAIMS,
        links=config.links,
    )


def made_by_name(metrics: Mapping[str, Any], command: str) -> tuple[str, ...]:
    """Returns the command for what this run has beyond the default pipelines; none where there is nothing."""
    scores = [found["results"] for found in metrics["ood"].get("models", {}).values()]
    made = {
        "train_residual_flow": "residual_flow" in metrics,
        "train_background_flow": any("likelihood_ratio" in results for results in scores),
        "train_wgan_gp": "wgan_gp" in metrics,
        "log_det_study": "log_det_study" in metrics,
        "vanishing_gradients": "vanishing_gradients" in metrics,
        "stability": "stability" in metrics,
    }
    names = [name for name, there in made.items() if there]
    # What judges the models anew, now that there are more of them.
    return (f"{command} --pipelines {','.join([*names, 'ood_eval', 'fid_eval', 'report'])}",) if names else ()


def _discrete(metrics: Mapping[str, Any]) -> dict[str, Any]:
    ending = "_discrete_likelihood"
    return {name.removesuffix(ending): found for name, found in metrics.items() if name.endswith(ending)}


def _chapters(metrics: Mapping[str, Any], figures: Mapping[str, Any]) -> Iterator[Chapter]:
    def made(anchor: str, name: str, write: Callable[..., Chapter], *drawn: str) -> Chapter:
        pngs = [figures[figure] for figure in drawn]
        if name not in metrics or None in pngs:
            return chapters.missing_chapter(anchor)
        return write(metrics[name], *pngs)

    yield chapters.data_chapter(
        metrics["data"], figures["example_images"], metrics["ood_sets"], figures["ood_set_examples"]
    )
    yield chapters.flow_chapter(metrics["flow"], figures["flow_curve"], figures["flow_samples"], _discrete(metrics))
    yield made(
        "residual-flow",
        "residual_flow",
        lambda found, *pngs: chapters.residual_flow_chapter(metrics["flow"], found, *pngs),
        "residual_flow_curve",
        "residual_flow_samples",
    )
    yield made(
        "log-det",
        "log_det_study",
        lambda found, *pngs: chapters.log_det_chapter(found, dict(zip(_LOG_DET, pngs, strict=True))),
        *(f"log_det_{name}_figure" for name in _LOG_DET),
    )
    yield chapters.latent_space_chapter(metrics["latents"], figures)
    yield chapters.ood_chapter(metrics["ood"], figures["ood_histogram"], figures["ood_matrix"], figures["ood_headline"])
    yield chapters.likelihood_anatomy_chapter(metrics["likelihood"], figures)
    yield chapters.gan_chapter(
        metrics["adversarial"],
        figures["gan_curves"],
        {name: figures[f"{name}_strip"] for name in metrics["adversarial"]},
        figures["gan_records"],
        figures["dirac_portraits"],
    )
    yield chapters.fid_chapter(metrics["fid"], figures["fid_curves"])
    yield made(
        "vanishing",
        "vanishing_gradients",
        chapters.vanishing_chapter,
        "vanishing_norms",
        "vanishing_variance",
        "uniform_curves",
    )
    yield made(
        "stability",
        "stability",
        chapters.stability_chapter,
        "stability_curves",
        "stability_measures",
        "stability_verdict",
    )
    yield chapters.comparison_chapter(metrics, figures["published_comparison"])
