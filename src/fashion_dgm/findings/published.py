"""Where a run stands compared with published results, and on what terms."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import Side, is_number
from fashion_dgm.findings.flow import TrainedFlow, flows_of, trained_flow
from fashion_dgm.findings.literature import LITERATURE, Literature
from fashion_dgm.findings.row import Row

__all__ = ["PublishedFindings", "published"]

_COUPLINGS = ("RealNVP", "MixtureFlow")
_COUNTERPARTS = {"likelihood": "likelihood", "dose": "DoSE"}


@dataclass(frozen=True)
class PublishedFindings:
    """A run next to published results.

    Arguments:
        likelihoods: of the flows of this run, RealNVP first.
        difference, side: of RealNVP's bits/dim to those of the published RealNVP.
        detections: likelihood, primary score and DoSE under RealNVP and the mixture flow: `score`, its `label`, `model`,
            `results` by set, and `compared`: on each `dataset` what was `found` and `published`. Likelihoods are compared
            with likelihoods, which `agree` if all are on the same side of chance; DoSE with DoSE, and the primary score
            with the best result of any score: the `side` of it where the result lies.
        absent: sets that others report on and this run does not.
        size_fraction: RealNVP's number of parameters, of that of the smallest published one.
        ood_images: the largest number of OOD images in a set.
        small: whether the run is much smaller than published ones.
    """

    literature: Literature
    likelihoods: tuple[TrainedFlow, ...]
    difference: float | None
    side: Side
    detections: tuple[Row, ...]
    absent: tuple[str, ...]
    size_fraction: float | None
    ood_images: int
    small: bool


def published(metrics: Row) -> PublishedFindings:
    """Concludes from all metrics of a run, with what `fashion_dgm.findings.flow.with_benchmark` adds."""
    theirs, ood = LITERATURE.likelihood[0], metrics["ood"]
    likelihoods = tuple(trained_flow(name, metrics[name]) for name in flows_of(metrics))
    ours = likelihoods[0]
    bits, parameters = ours.bits[ours.split], ours.parameters
    difference = bits.value - theirs.bits if is_number(bits.value) else None
    return PublishedFindings(
        literature=LITERATURE,
        likelihoods=likelihoods,
        difference=difference,
        side=criteria.bits_side(difference, bits.error),
        detections=_detections(ood),
        absent=tuple(name for name in LITERATURE.sets if name not in ood["sets"]),
        size_fraction=None if parameters is None else parameters / 1e6 / theirs.parameters,
        ood_images=max(found["images"] for found in ood["sets"].values()),
        small=criteria.is_small(ours.epochs, LITERATURE.epochs, ood["in_distribution"]["images"]),
    )


def _detections(ood: Row) -> tuple[Row, ...]:
    return tuple(
        _detection(score, model, ood["definitions"][score]["label"], ood["models"][model]["results"][score])
        for score in dict.fromkeys(("likelihood", ood["primary_score"], "dose"))
        for model in _COUPLINGS
        if score in ood["models"].get(model, {}).get("results", {})
    )


def _detection(score: str, model: str, label: str, results: Mapping[str, Row]) -> Row:
    known = {name: results[name] for name in LITERATURE.sets if is_number(results.get(name, {}).get("auroc"))}
    compared = tuple(row for name, found in known.items() for row in _compared(score, name, found))
    return {"score": score, "model": model, "label": label, "results": results, "compared": compared}


def _compared(score: str, name: str, found: Row) -> Iterator[Row]:
    """Yields a result next to published ones, where there are any."""
    theirs = [one for one in LITERATURE.on(name) if score not in _COUNTERPARTS or one.score == _COUNTERPARTS[score]]
    if not theirs:
        return
    if score == "likelihood":
        below = {auroc < criteria.CHANCE_AUROC for auroc in (found["auroc"], *(one.value(name) for one in theirs))}
        yield {"dataset": name, "found": found, "published": tuple(theirs), "agree": len(below) == 1}
    else:
        best = max(theirs, key=lambda one: one.value(name))
        side = criteria.side(found["auroc"], found.get("auroc_interval"), best.value(name), best.rounding(name))
        yield {"dataset": name, "found": found, "published": best, "side": side}
