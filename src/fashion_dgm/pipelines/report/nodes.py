"""Nodes of `report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from fashion_dgm.config import ReportConfig
from fashion_dgm.pipelines.types import DataFrame, Figure

if TYPE_CHECKING:
    from fashion_dgm.reporting.report import Chapter

__all__ = ["collect_metrics", "plot_published", "plot_records", "plot_training", "write_report"]


def collect_metrics(**parts: dict[str, Any] | None) -> dict[str, Any]:
    """Puts all metrics of a run under one roof; what was not made is left out."""
    return {name: part for name, part in parts.items() if part is not None}


def plot_training(**histories: DataFrame | None) -> Figure:
    """Draws losses, scores and gradient norms of the models that were trained."""
    from fashion_dgm.reporting.figures import gan_curves

    return gan_curves({name: history for name, history in histories.items() if history is not None})


def plot_records(**histories: DataFrame | None) -> Figure:
    """Draws which classes these models make, and how near their images are to training images."""
    from fashion_dgm.data.images import FASHION_CLASSES
    from fashion_dgm.reporting.figures import sample_records

    made = {name: history for name, history in histories.items() if history is not None}
    return sample_records(made, FASHION_CLASSES)


def plot_published(metrics: dict[str, Any]) -> Figure:
    """Draws bits/dim and AUROC beside published figures."""
    from fashion_dgm.reporting.figures import published_comparison
    from fashion_dgm.reporting.standing import with_benchmark

    flow = with_benchmark(metrics["flow"], metrics["ood"])
    return published_comparison(flow, metrics["ood"], metrics.get("residual_flow"))


def write_report(metrics: dict[str, Any], parameters: dict[str, Any], config: ReportConfig, **figures: Any) -> str:
    """Writes the report from metrics, parameters and figures."""
    from fashion_dgm.reporting import chapters
    from fashion_dgm.reporting.report import ReportContent, build_report
    from fashion_dgm.reporting.standing import with_benchmark

    data, ood, fid = metrics["data"], metrics["ood"], metrics["fid"]
    adversarial: dict[str, Any] = {name: metrics[name] for name in ("gan", "wgan", "wgan_gp") if name in metrics}
    flow = with_benchmark(metrics["flow"], ood)
    content = ReportContent(
        title=config.title,
        highlights=chapters.highlights(flow=flow, ood=ood, fid=fid),
        summary=tuple(
            chapters.summary_sentences(
                data=data, flow=flow, ood=ood, gan=adversarial, fid=fid, likelihood=metrics["likelihood"]
            )
        ),
        chapters=(
            chapters.data_chapter(data, figures["example_images"], metrics["ood_sets"], figures["ood_set_examples"]),
            chapters.flow_chapter(flow, figures["flow_curve"], figures["flow_samples"]),
            _residual_flow(flow, metrics, figures),
            _log_det_chapter(metrics.get("log_det_study"), figures),
            chapters.latent_space_chapter(metrics["latents"], figures),
            chapters.ood_chapter(ood, figures["ood_histogram"], figures["ood_matrix"], figures["ood_headline"]),
            chapters.likelihood_anatomy_chapter(metrics["likelihood"], figures),
            chapters.gan_chapter(
                adversarial,
                figures["gan_curves"],
                {name: figures[f"{name}_strip"] for name in adversarial},
                figures["gan_records"],
            ),
            chapters.fid_chapter(fid, figures["fid_curves"]),
            _vanishing_chapter(metrics, figures),
            _stability_chapter(metrics, figures),
            chapters.comparison_chapter({**metrics, "flow": flow}, figures["published_comparison"]),
        ),
        configuration={
            name: block.model_dump(mode="json") if isinstance(block, BaseModel) else block
            for name, block in parameters.items()
        },
        how_to_reproduce=config.reproduce,
    )
    return build_report(content)


def _vanishing_chapter(metrics: dict[str, Any], figures: dict[str, Any]) -> Chapter:
    from fashion_dgm.reporting import chapters

    found = metrics.get("vanishing_gradients")
    pngs = [figures[name] for name in ("vanishing_norms", "vanishing_variance", "uniform_curves")]
    if found is None or None in pngs:
        return chapters.missing_chapter(
            "When the opponent is too good: vanishing gradients",
            "vanishing",
            "vanishing_gradients",
            "What a discriminator that is sure and right leaves of the generator's gradient, under each loss.",
        )
    return chapters.vanishing_chapter(found, *pngs)


def _stability_chapter(metrics: dict[str, Any], figures: dict[str, Any]) -> Chapter:
    from fashion_dgm.reporting import chapters

    found = metrics.get("stability")
    pngs = [figures[name] for name in ("stability_curves", "stability_measures", "stability_verdict")]
    if found is None or None in pngs:
        return chapters.missing_chapter(
            "Which is more stable, and by how much?",
            "stability",
            "stability",
            "GAN, WGAN and WGAN-GP under several seeds and settings: how steadily they train, and what is decided.",
        )
    return chapters.stability_chapter(found, *pngs)


def _residual_flow(flow: dict[str, Any], metrics: dict[str, Any], figures: dict[str, Any]) -> Chapter:
    from fashion_dgm.reporting import chapters

    drawn = [figures["residual_flow_curve"], figures["residual_flow_samples"]]
    if "residual_flow" in metrics and None not in drawn:
        return chapters.residual_flow_chapter(flow, metrics["residual_flow"], *drawn)
    return chapters.missing_chapter(
        chapters.RESIDUAL_FLOW_TITLE,
        chapters.RESIDUAL_FLOW_ANCHOR,
        "train_residual_flow",
        "A flow whose layers change every pixel at once, at the price of an estimated determinant, beside RealNVP.",
    )


def _log_det_chapter(study: dict[str, Any] | None, figures: dict[str, Any]) -> Chapter:
    from fashion_dgm.reporting import chapters

    names = ("truncation", "probes", "bias", "variance", "budget")
    shown = {name: figures[f"log_det_{name}_figure"] for name in names}
    if study is None or any(figure is None for figure in shown.values()):
        return chapters.missing_chapter(
            chapters.LOG_DET_TITLE,
            chapters.LOG_DET_ANCHOR,
            "train_residual_flow,log_det_study",
            "A residual layer's log-determinant is estimated from a series. What a truncated series lacks, what Russian "
            "roulette and random probes scatter, and what each costs, on blocks small enough to know the truth.",
        )
    return chapters.log_det_chapter(study, shown)
