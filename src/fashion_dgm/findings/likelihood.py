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
    "ComplexityFindings",
    "Effect",
    "GapFindings",
    "LayerFindings",
    "LikelihoodFindings",
    "Measure",
    "PolynomialGap",
    "SecondOrderFindings",
    "likelihood",
]

_BEFORE = ("logit", "actnorm", "squeeze")
_MEASURES = ("png_bits", "total_variation", "black_share")
_PERTURBATIONS = ("brightness", "spread", "blur")
_COORDINATES = ("pixels", "logits")


@dataclass(frozen=True)
class GapFindings:
    """The gap in bits/dim, OOD minus in-distribution, and its terms.

    Arguments:
        side: below where the OOD set needs fewer bits/dim.
        volume, latents: the sums over all log-determinants and all latents, each with its fraction of the gap; None
            where there is no gap.
        opposed: whether all latents clearly point the other way.
        largest: the largest term.
        parts: each with its difference and fraction, and their intervals.
    """

    side: Side
    difference: float | None
    interval: tuple[float, float] | None
    volume: float | None
    volume_fraction: float | None
    latents: float | None
    latents_fraction: float | None
    opposed: bool
    largest: str
    parts: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class LayerFindings:
    """Where along the flow the gap arises.

    Arguments:
        before, after: the gap before the first coupling and after the last.
        fraction: the first over the second.
        saved: bits/dim that the couplings save for the in-distribution set, and for the OOD set.
        transfers: whether they save any for the latter.
    """

    verdict: BeforeCouplings
    before: float | None
    after: float | None
    fraction: float | None
    saved: tuple[float, float] | None
    transfers: bool


@dataclass(frozen=True)
class Measure:
    """A measure of complexity.

    Arguments:
        inside, outside, pooled: rank correlation with bits/dim within either set and over all, `{"value",
            "value_interval"}`.
        line: what the line through in-distribution images predicts for the OOD set, `{"predicted", "share"}` with intervals.
    """

    name: str
    inside: Mapping[str, Any]
    outside: Mapping[str, Any]
    pooled: Mapping[str, Any]
    line: Mapping[str, Any]


@dataclass(frozen=True)
class ComplexityFindings:
    """How far complexity goes with bits/dim.

    Arguments:
        closest: the measure of the largest rank correlation within the in-distribution set; None where none varies.
        off_the_line: sets that lie far from what the PNG file predicts.
    """

    verdict: Complexity
    closest: str | None
    measures: tuple[Measure, ...]
    off_the_line: tuple[str, ...]


@dataclass(frozen=True)
class Effect:
    """The strongest clear effect of a perturbation in one direction; `level` is None where there is none.

    Arguments:
        side: of the AUROC of changed images; below a half they are likelier.
        row: of the perturbation's metrics.
    """

    perturbation: str
    side: Side
    level: float | None
    row: Mapping[str, Any]


@dataclass(frozen=True)
class PolynomialGap:
    """A second-order polynomial about the mean in one kind of coordinates, compared with the log-density.

    Arguments:
        level: the factor by which images were drawn towards their mean; None for the OOD set.
        measured, predicted: by how much these are likelier, in bits/dim.
        ratio: the second over the first.
    """

    coordinates: str
    level: float | None
    measured: float | None
    predicted: float | None
    ratio: float | None
    verdict: Polynomial


@dataclass(frozen=True)
class SecondOrderFindings:
    """Whether the second-order argument holds.

    Arguments:
        variance: of the OOD set's pixels in sum, compared with the other's.
        everywhere: whether it varies less in every direction.
        moments: as `experiments.likelihood.second_order.pixel_moments` returns them.
        gaps: of the OOD set in each kind of coordinates, then of images drawn towards their mean.
        towards_mean: of these images, by measured bits/dim.
        levels, likelier, less_likely: at how many levels, of these the clear ones.
    """

    variance: Side
    everywhere: bool
    moments: Mapping[str, Any]
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
        sets: all sets, the in-distribution one first.
        neighbours: the correlation of the OOD set's neighbouring latents, compared with the other's.
        metrics: as the node `explain_likelihood` returns them.
    """

    inside: str
    outside: str
    sets: Mapping[str, Mapping[str, Any]]
    gap: GapFindings
    layers: LayerFindings
    neighbours: Side
    complexity: ComplexityFindings
    effects: tuple[Effect, ...]
    second_order: SecondOrderFindings
    metrics: Mapping[str, Any]


def likelihood(metrics: Mapping[str, Any]) -> LikelihoodFindings:
    """Concludes from what the node `explain_likelihood` returns."""
    inside, outside, sets = metrics["in_distribution"], metrics["stranger"], metrics["sets"]
    return LikelihoodFindings(
        inside=inside,
        outside=outside,
        sets={name: sets[name] for name in sorted(sets, key=lambda name: (name != inside, name))},
        gap=_gap(sets[outside]["gap"]),
        layers=_layers(metrics["layers"]),
        neighbours=_neighbours(sets[inside], sets[outside]),
        complexity=_complexity(metrics, inside, outside),
        effects=tuple(
            effect for name in _PERTURBATIONS for effect in _effects(name, metrics["perturbations"].get(name, ()))
        ),
        second_order=_second_order(metrics["second_order"], metrics["perturbations"].get("spread", ())),
        metrics=metrics,
    )


def _gap(gap: Mapping[str, Any]) -> GapFindings:
    difference, interval, parts = gap["difference"], gap["difference_interval"], gap["parts"]
    verdict = side(difference, interval, 0.0)
    if verdict not in (Side.BELOW, Side.ABOVE):
        return GapFindings(verdict, difference, interval, None, None, None, None, False, "", parts)
    of_latents = [part for name, part in parts.items() if name.startswith("latents")]
    latents = sum(part["difference"] for part in of_latents)
    volume = difference - latents
    clear = all(side(p["difference"], p["difference_interval"], 0.0) is not Side.AROUND for p in of_latents)
    return GapFindings(
        side=verdict,
        difference=difference,
        interval=interval,
        volume=volume,
        volume_fraction=volume / difference,
        latents=latents,
        latents_fraction=latents / difference,
        opposed=latents * difference < 0 and clear,
        largest=max(parts, key=lambda name: abs(parts[name]["difference"])),
        parts=parts,
    )


def _layers(layers: Sequence[Mapping[str, Any]]) -> LayerFindings:
    start = next((i for i, row in enumerate(layers) if row["kind"] not in _BEFORE), 0) - 1
    unknown = LayerFindings(BeforeCouplings.UNKNOWN, None, None, None, None, False)
    if start < 0:
        return unknown
    first, last = layers[start], layers[-1]
    verdict = criteria.before_couplings(first["gap"], last["gap"], last["gap_se"])
    if verdict in (BeforeCouplings.UNKNOWN, BeforeCouplings.NO_GAP):
        return LayerFindings(verdict, first["gap"], last["gap"], None, None, False)
    saved = first["inside"] - last["inside"], first["outside"] - last["outside"]
    return LayerFindings(verdict, first["gap"], last["gap"], first["gap"] / last["gap"], saved, saved[1] > 0)


def _neighbours(inside: Mapping[str, Any], outside: Mapping[str, Any]) -> Side:
    if not is_number(inside.get("neighbours")) or not is_number(outside.get("neighbours")):
        return Side.UNKNOWN
    return criteria.interval_side(outside["neighbours_interval"], inside["neighbours_interval"])


def _complexity(metrics: Mapping[str, Any], inside: str, outside: str) -> ComplexityFindings:
    sets = metrics["sets"]
    ours, theirs = sets[inside], sets[outside]
    measures = tuple(
        Measure(name, ours["spearman"][name], theirs["spearman"][name], metrics["pooled"][name], theirs["line"][name])
        for name in _MEASURES
    )
    varying = [measure for measure in measures if is_number(measure.inside["value"])]
    return ComplexityFindings(
        verdict=criteria.complexity([measure.line.get("share") for measure in measures]),
        closest=max(varying, key=lambda measure: abs(measure.inside["value"])).name if varying else None,
        measures=measures,
        off_the_line=tuple(name for name in sorted(sets) if name != inside and _off_the_line(sets[name])),
    )


def _off_the_line(entry: Mapping[str, Any]) -> bool:
    predicted, bits = entry["line"]["png_bits"]["predicted"], entry["bits_per_dim"]
    return is_number(predicted) and is_number(bits) and abs(bits - predicted) > criteria.OFF_THE_LINE


def _effects(name: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[Effect]:
    # At level 0 brightness and spread leave nothing of an image.
    levels = [row for row in rows if row["changed"] and row["level"] > 0 and is_number(row.get("auroc"))]
    found = [(side(row["auroc"], row["auroc_interval"], 0.5), row) for row in levels]
    clear = [(where, row) for where, row in found if where is not Side.AROUND]
    if not clear:
        yield Effect(name, Side.AROUND if levels else Side.UNKNOWN, None, {})
    for direction in (Side.BELOW, Side.ABOVE):
        if own := [row for where, row in clear if where is direction]:
            strongest = max(own, key=lambda row: abs(row["auroc"] - 0.5))
            yield Effect(name, direction, strongest["level"], strongest)


def _second_order(found: Mapping[str, Any], spread: Sequence[Mapping[str, Any]]) -> SecondOrderFindings:
    moments, gaps = found["moments"], found["gaps"]
    low = moments["eigenvalues"][0]
    rows = [row for row in spread if row["changed"] and row["level"] < 1 and is_number(row["difference"])]
    sides = [side(row["difference"], row["difference_interval"], 0.0) for row in rows]
    return SecondOrderFindings(
        variance=side(moments["variance_outside"], None, moments["variance_inside"]),
        everywhere=is_number(low) and low >= 0,
        moments=moments,
        gaps=(
            *(_polynomial(name, gaps[name]) for name in _COORDINATES if name in gaps),
            *(_nearest(name, gaps[name]) for name in _COORDINATES if _steps(gaps.get(name, {}))),
        ),
        coordinates=_coordinates(gaps),
        towards_mean=criteria.towards_mean(sides),
        levels=len(sides),
        likelier=sides.count(Side.BELOW),
        less_likely=sides.count(Side.ABOVE),
    )


def _polynomial(name: str, gap: Mapping[str, Any], level: float | None = None) -> PolynomialGap:
    measured, predicted = gap["measured"], gap["polynomial"]
    verdict = criteria.polynomial(predicted, measured, gap["measured_se"])
    known = verdict not in (Polynomial.UNKNOWN, Polynomial.NO_GAP)
    return PolynomialGap(name, level, measured, predicted, predicted / measured if known else None, verdict)


def _steps(gap: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [step for step in gap.get("towards_mean", ()) if 0 < step["level"] < 1]


def _nearest(name: str, gap: Mapping[str, Any]) -> PolynomialGap:
    """Returns the smallest step towards the mean that was tried."""
    step = max(_steps(gap), key=lambda step: step["level"])
    return _polynomial(name, step, step["level"])


def _coordinates(gaps: Mapping[str, Any]) -> Coordinates:
    found = [criteria.polynomial(0.0, gaps[name]["measured"], gaps[name]["measured_se"]) for name in gaps]
    if "logits" not in gaps or any(verdict in (Polynomial.UNKNOWN, Polynomial.NO_GAP) for verdict in found):
        return Coordinates.UNKNOWN
    pixels, logits = (gaps[name]["measured"] for name in _COORDINATES)
    if pixels * logits > 0:
        return Coordinates.ALIKE
    return Coordinates.LIKELIER_IN_PIXELS if pixels > 0 else Coordinates.LIKELIER_IN_LOGITS
