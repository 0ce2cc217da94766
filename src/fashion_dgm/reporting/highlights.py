"""The results at the top of the report."""

from collections.abc import Iterator

from fashion_dgm.findings import Findings
from fashion_dgm.findings.fid import FIDFindings
from fashion_dgm.findings.ood import OODFindings
from fashion_dgm.findings.published import PublishedFindings
from fashion_dgm.reporting.report import Highlight
from fashion_dgm.reporting.wording import count, dataset_name, model_name, number, space_name, the_model

__all__ = ["highlights"]


def highlights(findings: Findings) -> tuple[Highlight, ...]:
    """Returns likelihood, detection and sample quality in a few numbers."""
    return (
        *_likelihoods(findings.published),
        *_detection(findings.ood),
        *_distances(findings.fid),
    )


def _distances(found: FIDFindings) -> Iterator[Highlight]:
    if not found.spaces:
        return
    space = found.space("inception") or found.spaces[0]
    distances = {standing.model: standing.distance for standing in space.standings}
    for model in (row["model"] for row in space.models):
        label = f"{space_name(space.name)} of the {model_name(model)}"
        text = f"best epoch, N = {count(found.metrics['samples'])}"
        yield Highlight(number(distances.get(model), 1), label, text)


def _likelihoods(found: PublishedFindings) -> Iterator[Highlight]:
    for own in found.likelihoods:
        if own.name in ("flow", "mixture_flow"):
            images = "official test" if own.split == "benchmark" else "held-out"
            label = f"bits/dim of {the_model(own.architecture)}, {images} images"
            yield Highlight(
                number(own.bits[own.split].value), label, f"published RealNVP: {found.literature.likelihood[0].bits}"
            )


def _detection(found: OODFindings) -> Iterator[Highlight]:
    one = found.sets[0]
    name = dataset_name(one["name"])
    yield Highlight(number(one.get("auroc"), 3), f"AUROC on {name}, by likelihood", "chance: 0.5")
    if found.primary is not None:
        auroc = found.primary.results.get(one["name"], {}).get("auroc")
        yield Highlight(number(auroc, 3), f"AUROC on {name}, by the score {found.primary.label}", "chance: 0.5")
