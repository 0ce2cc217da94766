"""Which terms, layers and properties of images make the gap in likelihood between two sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import (
    BeforeCouplings,
    Complexity,
    Coordinates,
    Polynomial,
    Side,
    TowardsMean,
    is_number,
    side,
)

__all__ = [
    "Effect",
    "GapFindings",
    "LayerFindings",
    "LikelihoodFindings",
    "PolynomialGap",
    "SecondOrderFindings",
    "likelihood",
]

_BEFORE = ("logit", "actnorm", "squeeze")
_PERTURBATIONS = ("brightness", "spread", "blur")
_COORDINATES = ("pixels", "logits")


@dataclass(frozen=True)
class GapFindings:
    """The gap in bits/dim, OOD minus in-distribution.

    Arguments:
        side: below where the OOD set needs fewer bits/dim; without a gap, there is nothing in the other fields.
        volume, latents: the sums over all log-determinants and over all latents.
        opposed: whether all latents clearly point the other way.
        largest: the largest term.
    """

    side: Side
    volume: float | None = None
    latents: float | None = None
    opposed: bool = False
    largest: str = ""


@dataclass(frozen=True)
class LayerFindings:
    """Where along the flow the gap arises.

    Arguments:
        before, after: the rows of the layers before the first coupling and of the last one.
        transfers: whether the couplings save bits/dim for the OOD set, too.
    """

    verdict: BeforeCouplings
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    transfers: bool


@dataclass(frozen=True)
class Effect:
    """The strongest clear effect of a perturbation in one direction.

    Arguments:
        side: of the AUROC of changed images; below a half they are likelier.
        row: of the metrics; None where no effect is clear.
    """

    perturbation: str
    side: Side
    row: Mapping[str, Any] | None


@dataclass(frozen=True)
class PolynomialGap:
    """A second-order polynomial about the mean in one kind of coordinates, compared with the log-density.

    Arguments:
        level: the factor by which images were drawn towards their mean; None for the OOD set.
        measured, predicted: by how much these are likelier, in bits/dim.
    """

    coordinates: str
    level: float | None
    measured: float | None
    predicted: float | None
    verdict: Polynomial


@dataclass(frozen=True)
class SecondOrderFindings:
    """Whether the second-order argument holds.

    Arguments:
        variance: of the OOD set's pixels in sum, compared with the other's.
        everywhere: whether it varies less in every direction.
        gaps: of the OOD set in each kind of coordinates, then of images drawn towards their mean.
        towards_mean: of these images, by measured bits/dim.
        levels, likelier, less_likely: at how many levels, of these the clear ones.
    """

    variance: Side
    everywhere: bool
    gaps: tuple[PolynomialGap, ...]
    coordinates: Coordinates
    towards_mean: TowardsMean
    levels: int
    likelier: int
    less_likely: int


@dataclass(frozen=True)
class LikelihoodFindings:
    """What the likelihood of in-distribution and OOD images is made of.

    Arguments:
        inside, outside: the sets that are compared.
        neighbours: the correlation of the OOD set's neighbouring latents, compared with the other's.
        closest: the measure of complexity of the largest rank correlation within the in-distribution set.
        off_the_line: sets that lie far from what the length of a PNG file predicts.
        metrics: as the node `explain_likelihood` returns them.
    """

    inside: str
    outside: str
    gap: GapFindings
    layers: LayerFindings
    neighbours: Side
    complexity: Complexity
    closest: str | None
    off_the_line: tuple[str, ...]
    effects: tuple[Effect, ...]
    second_order: SecondOrderFindings
    metrics: Mapping[str, Any]


def likelihood(metrics: Mapping[str, Any]) -> LikelihoodFindings:
    """Concludes from what the node `explain_likelihood` returns."""
    inside, outside, sets = metrics["in_distribution"], metrics["ood_set"], metrics["sets"]
    ours, theirs = sets[inside], sets[outside]
    varying = {name: abs(found["value"]) for name, found in ours["spearman"].items() if is_number(found["value"])}
    perturbations = metrics["perturbations"]
    return LikelihoodFindings(
        inside=inside,
        outside=outside,
        gap=_gap(theirs["gap"]),
        layers=_layers(metrics["layers"]),
        neighbours=_neighbours(ours, theirs),
        complexity=criteria.complexity([line.get("fraction") for line in theirs["line"].values()]),
        closest=max(varying, key=varying.__getitem__) if varying else None,
        off_the_line=tuple(name for name in sorted(sets) if name != inside and _off_the_line(sets[name])),
        effects=tuple(effect for name in _PERTURBATIONS for effect in _effects(name, perturbations.get(name, ()))),
        second_order=_second_order(metrics["second_order"], perturbations.get("spread", ())),
        metrics=metrics,
    )


def _gap(gap: Mapping[str, Any]) -> GapFindings:
    difference, parts = gap["difference"], gap["parts"]
    verdict = side(difference, gap["difference_interval"], 0.0)
    if verdict not in (Side.BELOW, Side.ABOVE):
        return GapFindings(verdict)
    of_latents = [part for name, part in parts.items() if name.startswith("latents")]
    latents = sum(part["difference"] for part in of_latents)
    clear = all(side(p["difference"], p["difference_interval"], 0.0) is not Side.AROUND for p in of_latents)
    largest = max(parts, key=lambda name: abs(parts[name]["difference"]))
    return GapFindings(verdict, difference - latents, latents, latents * difference < 0 and clear, largest)


def _layers(layers: Sequence[Mapping[str, Any]]) -> LayerFindings:
    start = next((i for i, row in enumerate(layers) if row["kind"] not in _BEFORE), 0) - 1
    before, after = layers[max(start, 0)], layers[-1]
    verdict = BeforeCouplings.UNKNOWN
    if start >= 0:
        verdict = criteria.before_couplings(before["gap"], after["gap"], after["gap_se"])
    return LayerFindings(verdict, before, after, before["outside"] > after["outside"])


def _neighbours(inside: Mapping[str, Any], outside: Mapping[str, Any]) -> Side:
    return criteria.compare_intervals(outside.get("neighbours_interval"), inside.get("neighbours_interval"))


def _off_the_line(entry: Mapping[str, Any]) -> bool:
    predicted, bits = entry["line"]["png_bits"]["predicted"], entry["bits_per_dim"]
    return is_number(predicted) and is_number(bits) and abs(bits - predicted) > criteria.OFF_THE_LINE


def _effects(name: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[Effect]:
    # At level 0 brightness and spread leave nothing of an image.
    levels = [row for row in rows if row["changed"] and row["level"] > 0 and is_number(row.get("auroc"))]
    found = [(side(row["auroc"], row["auroc_interval"], 0.5), row) for row in levels]
    clear = [(where, row) for where, row in found if where is not Side.AROUND]
    if not clear:
        yield Effect(name, Side.AROUND if levels else Side.UNKNOWN, None)
    for direction in (Side.BELOW, Side.ABOVE):
        if own := [row for where, row in clear if where is direction]:
            yield Effect(name, direction, max(own, key=lambda row: abs(row["auroc"] - 0.5)))


def _second_order(found: Mapping[str, Any], spread: Sequence[Mapping[str, Any]]) -> SecondOrderFindings:
    moments, gaps = found["moments"], found["gaps"]
    low = moments["eigenvalues"][0]
    rows = [row for row in spread if row["changed"] and row["level"] < 1 and is_number(row["difference"])]
    sides = [side(row["difference"], row["difference_interval"], 0.0) for row in rows]
    return SecondOrderFindings(
        variance=side(moments["variance_outside"], None, moments["variance_inside"]),
        everywhere=is_number(low) and low >= 0,
        gaps=(
            *(_polynomial(name, gaps[name]) for name in _COORDINATES if name in gaps),
            *(_polynomial(name, step) for name in _COORDINATES for step in _smallest_step(gaps.get(name, {}))),
        ),
        coordinates=_coordinates(gaps),
        towards_mean=criteria.towards_mean(sides),
        levels=len(sides),
        likelier=sides.count(Side.BELOW),
        less_likely=sides.count(Side.ABOVE),
    )


def _polynomial(name: str, gap: Mapping[str, Any]) -> PolynomialGap:
    measured, predicted = gap["measured"], gap["polynomial"]
    verdict = criteria.polynomial(predicted, measured, gap["measured_se"])
    return PolynomialGap(name, gap.get("level"), measured, predicted, verdict)


def _smallest_step(gap: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Returns the smallest step towards the mean that was tried, if any."""
    return sorted((s for s in gap.get("towards_mean", ()) if 0 < s["level"] < 1), key=lambda s: s["level"])[-1:]


def _coordinates(gaps: Mapping[str, Any]) -> Coordinates:
    found = [criteria.polynomial(0.0, gaps[name]["measured"], gaps[name]["measured_se"]) for name in gaps]
    if "logits" not in gaps or any(verdict in (Polynomial.UNKNOWN, Polynomial.NO_GAP) for verdict in found):
        return Coordinates.UNKNOWN
    pixels, logits = (gaps[name]["measured"] for name in _COORDINATES)
    if pixels * logits > 0:
        return Coordinates.ALIKE
    return Coordinates.LIKELIER_IN_PIXELS if pixels > 0 else Coordinates.LIKELIER_IN_LOGITS
