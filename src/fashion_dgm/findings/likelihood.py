"""Which terms, layers and properties of images make the gap in likelihood between two sets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
from fashion_dgm.findings.row import Row

__all__ = ["GapFindings", "LikelihoodFindings", "likelihood"]

BEFORE_COUPLINGS = ("logit", "actnorm", "squeeze")
"""Kinds of layers in which each pixel counts by itself."""

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
class SecondOrderFindings:
    """Whether the second-order argument holds.

    Arguments:
        variance: of the OOD set's pixels in sum, compared with the other's.
        everywhere: whether it varies less in every direction.
        gaps: the `verdict` on the polynomial about the mean in each kind of `coordinates`: how much likelier than
            others images are, `measured` and by the `polynomial`, in bits/dim; first those of the OOD set, then, with a
            `level`, images drawn towards their mean by this factor.
        towards_mean: of these images, by measured bits/dim.
        sides: of the change in bits/dim at each level.
    """

    variance: Side
    everywhere: bool
    gaps: tuple[Row, ...]
    coordinates: Coordinates
    towards_mean: TowardsMean
    sides: tuple[Side, ...]


@dataclass(frozen=True)
class LikelihoodFindings:
    """What the likelihood of in-distribution and OOD images is made of.

    Arguments:
        inside, outside: the sets that are compared.
        layers: where along the flow the gap arises: the `verdict`; the rows of the layers `before` the first coupling
            and `after` the last one; and whether the couplings save bits/dim for the OOD set, too (`transfers`).
        neighbours: the correlation of the OOD set's neighbouring latents, compared with the other's.
        closest: the measure of complexity of the largest rank correlation within the in-distribution set.
        off_the_line: sets that lie far from what the length of a PNG file predicts.
        effects: the strongest clear effect of each `perturbation` in either direction, with the `side` of the AUROC of
            changed images: below a half they are likelier. Where no effect is clear, there is nothing else.
        metrics: as the node `explain_likelihood` returns them.
    """

    inside: str
    outside: str
    gap: GapFindings
    layers: Row
    neighbours: Side
    complexity: Complexity
    closest: str | None
    off_the_line: tuple[str, ...]
    effects: tuple[Row, ...]
    second_order: SecondOrderFindings
    metrics: Row


def likelihood(metrics: Row) -> LikelihoodFindings:
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
        neighbours=criteria.compare_intervals(theirs.get("neighbours_interval"), ours.get("neighbours_interval")),
        complexity=criteria.complexity([line.get("fraction") for line in theirs["line"].values()]),
        closest=max(varying, key=varying.__getitem__) if varying else None,
        off_the_line=tuple(name for name in sorted(sets) if name != inside and _off_the_line(sets[name])),
        effects=tuple(effect for name in _PERTURBATIONS for effect in _effects(name, perturbations.get(name, ()))),
        second_order=_second_order(metrics["second_order"], perturbations.get("spread", ())),
        metrics=metrics,
    )


def _gap(gap: Row) -> GapFindings:
    difference, parts = gap["difference"], gap["parts"]
    verdict = side(difference, gap["difference_interval"], 0.0)
    if verdict not in (Side.BELOW, Side.ABOVE):
        return GapFindings(verdict)
    of_latents = [part for name, part in parts.items() if name.startswith("latents")]
    latents = sum(part["difference"] for part in of_latents)
    clear = all(side(p["difference"], p["difference_interval"], 0.0) is not Side.AROUND for p in of_latents)
    largest = max(parts, key=lambda name: abs(parts[name]["difference"]))
    return GapFindings(verdict, difference - latents, latents, latents * difference < 0 and clear, largest)


def _layers(layers: Sequence[Row]) -> Row:
    start = next((i for i, row in enumerate(layers) if row["kind"] not in BEFORE_COUPLINGS), 0) - 1
    before, after = layers[max(start, 0)], layers[-1]
    verdict = BeforeCouplings.UNKNOWN
    if start >= 0:
        verdict = criteria.before_couplings(before["gap"], after["gap"], after["gap_se"])
    transfers = before["outside"] > after["outside"]
    return {"verdict": verdict, "before": before, "after": after, "transfers": transfers}


def _off_the_line(entry: Row) -> bool:
    predicted, bits = entry["line"]["png_bits"]["predicted"], entry["bits_per_dim"]
    return is_number(predicted) and is_number(bits) and abs(bits - predicted) > criteria.OFF_THE_LINE


def _effects(name: str, rows: Sequence[Row]) -> Iterator[Row]:
    # At level 0 brightness and spread leave nothing of an image.
    levels = [row for row in rows if row["changed"] and row["level"] > 0 and is_number(row.get("auroc"))]
    found = [(side(row["auroc"], row["auroc_interval"], 0.5), row) for row in levels]
    clear = [(where, row) for where, row in found if where is not Side.AROUND]
    if not clear:
        yield {"perturbation": name, "side": Side.AROUND if levels else Side.UNKNOWN}
    for direction in (Side.BELOW, Side.ABOVE):
        if own := [row for where, row in clear if where is direction]:
            yield {**max(own, key=lambda row: abs(row["auroc"] - 0.5)), "perturbation": name, "side": direction}


def _second_order(found: Row, spread: Sequence[Row]) -> SecondOrderFindings:
    moments, gaps = found["moments"], found["gaps"]
    low = moments["eigenvalues"][0]
    rows = [row for row in spread if row["changed"] and row["level"] < 1 and is_number(row["difference"])]
    sides = tuple(side(row["difference"], row["difference_interval"], 0.0) for row in rows)
    return SecondOrderFindings(
        variance=side(moments["variance_outside"], None, moments["variance_inside"]),
        everywhere=is_number(low) and low >= 0,
        gaps=(
            *(_polynomial(name, gaps[name]) for name in _COORDINATES if name in gaps),
            *(_polynomial(name, step) for name in _COORDINATES for step in _smallest_step(gaps.get(name, {}))),
        ),
        coordinates=_coordinates(gaps),
        towards_mean=criteria.towards_mean(sides),
        sides=sides,
    )


def _polynomial(name: str, gap: Row) -> Row:
    verdict = criteria.polynomial(gap["polynomial"], gap["measured"], gap["measured_se"])
    return {**gap, "coordinates": name, "verdict": verdict}


def _smallest_step(gap: Row) -> list[Row]:
    """Returns the smallest step towards the mean that was tried, if any."""
    return sorted((s for s in gap.get("towards_mean", ()) if 0 < s["level"] < 1), key=lambda s: s["level"])[-1:]


def _coordinates(gaps: Row) -> Coordinates:
    found = [criteria.polynomial(0.0, gaps[name]["measured"], gaps[name]["measured_se"]) for name in gaps]
    if "logits" not in gaps or any(verdict in (Polynomial.UNKNOWN, Polynomial.NO_GAP) for verdict in found):
        return Coordinates.UNKNOWN
    pixels, logits = (gaps[name]["measured"] for name in _COORDINATES)
    if pixels * logits > 0:
        return Coordinates.ALIKE
    return Coordinates.LIKELIER_IN_PIXELS if pixels > 0 else Coordinates.LIKELIER_IN_LOGITS
