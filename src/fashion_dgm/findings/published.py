"""Where a run stands compared with published results, and on what terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import Exactness, Side, is_number
from fashion_dgm.findings.fid import SpaceFindings, fid
from fashion_dgm.findings.flow import Bits, TrainedFlow, trained_flow
from fashion_dgm.findings.literature import LITERATURE, Literature, PublishedDetection

__all__ = ["Compared", "Match", "OurDetection", "OurLikelihood", "PublishedFindings", "published"]

_FLOWS = ("flow", "mixture_flow", "residual_flow")
_COUPLINGS = ("RealNVP", "MixtureFlow")


@dataclass(frozen=True)
class OurLikelihood:
    """Bits/dim of one of this run's flows, on official test images where they were measured there."""

    flow: TrainedFlow
    split: str
    bits: Bits
    exactness: Exactness


@dataclass(frozen=True)
class Match:
    """A likelihood's AUROC on a set, published ones, and whether all lie on the same side of chance."""

    dataset: str
    found: Mapping[str, Any]
    published: tuple[PublishedDetection, ...]
    agrees: bool


@dataclass(frozen=True)
class Compared:
    """A score's AUROC on a set, the published one that it is compared with, and on which side of that it lies."""

    dataset: str
    found: Mapping[str, Any]
    published: PublishedDetection
    side: Side


@dataclass(frozen=True)
class OurDetection:
    """Detection by one of this run's scores under one of its flows.

    Arguments:
        results: by set.
        matches: of the likelihood, compared with published likelihoods.
        compared: of other scores: of DoSE with DoSE, of the primary score with the best result of any score.
    """

    score: str
    label: str
    model: str
    results: Mapping[str, Mapping[str, Any]]
    matches: tuple[Match, ...]
    compared: tuple[Compared, ...]

    @property
    def raw_likelihood(self) -> bool:
        """Whether it is the likelihood alone."""
        return self.score == "likelihood"

    def on_side(self, side: Side) -> tuple[Compared, ...]:
        """Returns what lies on one side of published results."""
        return tuple(one for one in self.compared if one.side == side)


@dataclass(frozen=True)
class PublishedFindings:
    """A run next to published results.

    Arguments:
        likelihoods: of the flows of this run, RealNVP first.
        difference, side: of RealNVP's bits/dim to those of the published RealNVP.
        detections: likelihood, primary score and DoSE under RealNVP and the mixture flow.
        absent: sets that others report on and this run does not.
        inception: sample quality by FID; None where it was not computed.
        samples: from how many samples distances were computed.
        biased: whether these are fewer than published ones.
        pooled: whether official test images may have been trained on.
        size_fraction: RealNVP's number of parameters, of that of the smallest published one.
        inside_images, ood_images: the number of in-distribution images, and the largest of OOD images.
        small: whether the run is much smaller than published ones.
    """

    literature: Literature
    likelihoods: tuple[OurLikelihood, ...]
    difference: float | None
    side: Side
    detections: tuple[OurDetection, ...]
    absent: tuple[str, ...]
    inception: SpaceFindings | None
    samples: int | None
    biased: bool
    pooled: bool
    size_fraction: float | None
    inside_images: int
    ood_images: int
    small: bool


def published(metrics: Mapping[str, Any]) -> PublishedFindings:
    """Concludes from all metrics of a run, with what `fashion_dgm.findings.flow.with_benchmark` adds."""
    theirs, ood = LITERATURE.likelihood[0], metrics["ood"]
    likelihoods = tuple(_likelihood(name, metrics[name]) for name in _FLOWS if name in metrics)
    ours = likelihoods[0]
    difference = ours.bits.value - theirs.bits if is_number(ours.bits.value) else None
    samples, inside = metrics["fid"].get("samples"), ood["in_distribution"]["images"]
    parameters = ours.flow.parameters
    return PublishedFindings(
        literature=LITERATURE,
        likelihoods=likelihoods,
        difference=difference,
        side=criteria.bits_side(difference, ours.bits.error),
        detections=_detections(ood),
        absent=tuple(name for name in LITERATURE.sets if name not in ood["sets"]),
        inception=fid(metrics["fid"]).space("inception"),
        samples=samples,
        biased=is_number(samples) and samples < criteria.PUBLISHED_SAMPLES,
        pooled=metrics["data"]["pool"] == "all",
        size_fraction=None if parameters is None else parameters / 1e6 / theirs.parameters,
        inside_images=inside,
        ood_images=max(found["images"] for found in ood["sets"].values()),
        small=criteria.is_small(ours.flow.epochs, LITERATURE.epochs, inside),
    )


def _likelihood(name: str, metrics: Mapping[str, Any]) -> OurLikelihood:
    flow = trained_flow(name, metrics)
    split = "benchmark" if "benchmark" in flow.bits else "test"
    estimated = Exactness.UNBIASED if metrics.get("unbiased") else Exactness.BIASED
    return OurLikelihood(flow, split, flow.bits[split], estimated if name == "residual_flow" else Exactness.EXACT)


def _detections(ood: Mapping[str, Any]) -> tuple[OurDetection, ...]:
    return tuple(
        _detection(score, ood["definitions"][score]["label"], model, ood["models"][model]["results"][score])
        for score in dict.fromkeys(("likelihood", ood["primary_score"], "dose"))
        for model in _COUPLINGS
        if score in ood["models"].get(model, {}).get("results", {})
    )


def _detection(score: str, label: str, model: str, results: Mapping[str, Mapping[str, Any]]) -> OurDetection:
    sets = [name for name in LITERATURE.sets if is_number(results.get(name, {}).get("auroc"))]
    if score == "likelihood":
        return OurDetection(score, label, model, results, tuple(_matches(sets, results)), ())
    return OurDetection(score, label, model, results, (), tuple(_comparisons(score, sets, results)))


def _matches(sets: Sequence[str], results: Mapping[str, Mapping[str, Any]]) -> Iterator[Match]:
    for name in sets:
        theirs = tuple(one for one in LITERATURE.on(name) if one.raw_likelihood)
        below = {
            auroc < criteria.CHANCE_AUROC for auroc in (results[name]["auroc"], *(one.value(name) for one in theirs))
        }
        if theirs:
            yield Match(name, results[name], theirs, len(below) == 1)


def _comparisons(score: str, sets: Sequence[str], results: Mapping[str, Mapping[str, Any]]) -> Iterator[Compared]:
    for name in sets:
        theirs = [one for one in LITERATURE.on(name) if score != "dose" or one.score == "DoSE"]
        if theirs:
            best, found = max(theirs, key=lambda one: one.value(name)), results[name]
            auroc, bounds = found["auroc"], found.get("auroc_interval")
            side = criteria.side(auroc, bounds, best.value(name), best.rounding(name))
            yield Compared(name, found, best, side)
