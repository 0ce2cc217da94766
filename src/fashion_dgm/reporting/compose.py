"""The report of a run: its chapters in their order, from all that was measured and drawn."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fashion_dgm.config import ReportConfig
from fashion_dgm.findings import conclude
from fashion_dgm.findings.flow import FLOWS, flows_of
from fashion_dgm.findings.gan import adversarial
from fashion_dgm.provenance import ORIGIN, differences, parameters_of
from fashion_dgm.reporting.chapter import Chapter, render_chapter, render_flow, render_summary
from fashion_dgm.reporting.claims import CLAIMS
from fashion_dgm.reporting.highlights import highlights
from fashion_dgm.reporting.report import ReportContent

__all__ = ["ReferenceRun", "compose", "fill", "marked", "opt_in_commands", "warnings_of"]

RESULTS_OF = {
    "data": (),
    "flow": ("flow", "ood"),
    "mixture-flow": ("flow", "mixture_flow", "ood"),
    "residual-flow": ("residual_flow",),
    "log-det": ("log_det_study",),
    "latents": ("latents",),
    "ood": ("ood",),
    "likelihood": ("likelihood",),
    "gan": (),  # those of all adversarial models
    "fid": ("fid",),
    "vanishing": ("vanishing_gradients",),
    "stability": ("stability",),
    "published": ("flow", "mixture_flow", "ood", "fid"),
}
"""Anchors of the chapters in their order, with the results that each prints."""

ANCHORS = tuple(RESULTS_OF)


@dataclass(frozen=True)
class ReferenceRun:
    """A run whose results stand in for those that another has left out.

    Arguments:
        metrics: all of its metrics.
        figures: its PNGs by name.
        about: how it was made: a sentence for each part of its metrics, and one under `""` for all others.
        headline: results of longer runs, as the rows of `docs/results/headline.json` have them.
    """

    metrics: Mapping[str, Any]
    figures: Mapping[str, bytes]
    about: Mapping[str, str]
    headline: Sequence[Mapping[str, Any]] = ()


def compose(
    metrics: Mapping[str, Any],
    figures: Mapping[str, bytes | None],
    configuration: Mapping[str, Any],
    config: ReportConfig,
    reference: ReferenceRun | None = None,
) -> ReportContent:
    """Returns all that the report says.

    Arguments:
        metrics: by what was measured, as `metrics.json` has them; of pipelines that run by name, those that were run.
        figures: PNGs by name, None where there is none.
        configuration: the parameters as they are set now; the report shows those that made its results, and where these
            differ.
        reference: what fills the chapters that this run has left out, marked as such.
    """
    findings = conclude(metrics)
    # Flows of MNIST share these blocks; their part of the report says where theirs differ.
    made_with = parameters_of({name: found for name, found in metrics.items() if not name.startswith("mnist_")})
    run = config.reproduce[-1]
    chapters = [marked(render_chapter(anchor, findings, figures, run), metrics) for anchor in ANCHORS]
    longer: Sequence[Mapping[str, Any]] = ()
    if reference is not None:
        if findings.gan.shortened:
            # What `quick` reaches is what this run is like.
            longer = [row for row in reference.headline if "--env quick" not in row["command"]]
        chapters = [fill(chapter, reference) for chapter in chapters]
        # What this run has drawn goes first.
        figures = {**reference.figures, **{name: image for name, image in figures.items() if image is not None}}
    place = ANCHORS.index("residual-flow") + 1
    chapters[place:place] = [
        marked(render_flow(comparison, findings, figures), metrics, ("flow", name, "ood"))
        for name, comparison in findings.other_flows.items()
    ]
    of_every_flow = tuple(claim for claim in CLAIMS["flow"] if claim.every_flow)
    return ReportContent(
        title=config.title,
        highlights=highlights(findings),
        summary=render_summary(findings, chapters, longer),
        chapters=tuple(chapters),
        figures=figures,
        configuration=made_with | {"report": configuration.get("report", {})},
        differences=tuple(differences(made_with, configuration)),
        how_to_reproduce=(*config.reproduce, *opt_in_commands(metrics, config.reproduce[-1])),
        claims={**CLAIMS, **{name.replace("_", "-"): of_every_flow for name in findings.other_flows}},
        links=config.links,
    )


def fill(chapter: Chapter, reference: ReferenceRun) -> Chapter:
    """Returns a chapter without results as the reference run has it; any other as it is."""
    if not chapter.command:
        return chapter
    filled = render_chapter(chapter.anchor, conclude(reference.metrics), reference.figures)
    if filled.command:
        return chapter
    about = next((reference.about[part] for part in (*RESULTS_OF[chapter.anchor], "") if part in reference.about), "")
    note = f"{about} This run has no such results of its own; `{chapter.command}` makes them."
    markdown = f"::: note Results of a reference run\n{note}\n:::\n\n{filled.markdown}"
    return replace(filled, markdown=markdown, finding=f"*Reference run:* {filled.finding}")


def marked(chapter: Chapter, metrics: Mapping[str, Any], results: Sequence[str] = ()) -> Chapter:
    """Returns the chapter with a warning in its finding and at its top if models and images of its results don't fit.

    Arguments:
        results: that it prints, if its anchor is not in `RESULTS_OF`.
    """
    split = metrics["data"]["splits"]["train"]["sha256"]
    names = adversarial(metrics) if chapter.anchor == "gan" else results or RESULTS_OF[chapter.anchor]
    warnings = (warnings_of(name, metrics.get(name, {}).get(ORIGIN, {}), split) for name in names)
    found = list(dict.fromkeys(itertools.chain.from_iterable(warnings)))
    if not found:
        return chapter
    warning = f"Not comparable: {'; '.join(found)}."
    note = f"::: note Trained on other images\n{warning} Images evaluated here may have been trained on.\n:::\n\n"
    return replace(chapter, finding=f"{chapter.finding} {warning}".strip(), markdown=note + chapter.markdown)


def warnings_of(name: str, origin: Mapping[str, Any], train_sha256: str) -> tuple[str, ...]:
    """Returns what is wrong with the origin of a result: a model of other images, or another split than the report's."""
    if origin.get("train_sha256") not in (None, train_sha256):
        stale = f"the results `{name}` were made with another training split ({origin['train_sha256'][:12]})"
        return (*origin.get("mismatches", ()), stale)
    return tuple(origin.get("mismatches", ()))


def opt_in_commands(metrics: Mapping[str, Any], command: str) -> tuple[str, ...]:
    """Returns the command for what this run has beyond the default pipelines; none where there is nothing."""
    scores = [found["results"] for found in metrics["ood"].get("models", {}).values()]
    made = {
        "train_residual_flow": "residual_flow" in metrics,
        "train_background_flow": any("likelihood_ratio" in results for results in scores),
        **{f"train_{flow}": True for flow in flows_of(metrics) if flow not in FLOWS},
        **{f"train_{model}": True for model in adversarial(metrics) if model not in ("gan", "wgan")},
        "ood_reverse": "mnist_ood" in metrics,
        "stability": "stability" in metrics,
    }
    names = [name for name, there in made.items() if there]
    # The evaluation again, now that there are more models.
    return (f"{command} --pipelines {','.join([*names, 'ood_eval', 'fid_eval', 'report'])}",) if names else ()
