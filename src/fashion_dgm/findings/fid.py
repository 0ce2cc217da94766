"""What the Fréchet distances and the other measures of sample quality have shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import Agreement, Copying, Family, FloorVerdict, Lead, Weakness, is_number
from fashion_dgm.findings.gan import model_order

__all__ = [
    "FIDFindings",
    "FamilyComparison",
    "FamilyMeasure",
    "KernelFindings",
    "SampleSet",
    "SpaceFindings",
    "Standing",
    "fid",
]

Row = Mapping[str, Any]

_MEASURES = ("precision", "recall", "density", "coverage")
_ABSENT: Mapping[str, Any] = {
    **dict.fromkeys(("quality", "failures", "missing", "warnings"), ()),
    **dict.fromkeys(("samples", "seed", "neighbours", "extrapolation_groups")),
    "kid": {"subsets": None},
    "feature_spaces": {},
    "copying_images": None,
    "models": "trained",
}
_NOT_MEASURED = dict.fromkeys(("best_on_test", "best_on_benchmark", "last_on_test", "last_on_benchmark"))
_PLACES = {"best": 0, "last": 1, "flow": 2, "external": 3, "training": 4, "floor": 5}


@dataclass(frozen=True, order=True)
class Standing:
    """A model's distance at its best epoch."""

    distance: float
    model: str


@dataclass(frozen=True)
class SampleSet:
    """A set of images with all measures in one feature space.

    Arguments:
        row: as `evaluation.scoring.Scores.quality` has it.
        also_last: whether it is of a model's best epoch, and that is the last one.
        weakness: by `density` and `coverage`, fractions of those of held-out images.
        copying: whether the images lie nearer to training images than held-out ones do.
    """

    row: Row
    also_last: bool
    weakness: Weakness
    copying: Copying
    density: float | None
    coverage: float | None


@dataclass(frozen=True)
class KernelFindings:
    """How the order by the kernel distance compares with that by the Fréchet distance.

    Arguments:
        first, second: the two nearest sets by the kernel distance; None where there are fewer.
        distance_first: the nearest by the Fréchet distance.
    """

    order: Agreement
    first: SampleSet | None = None
    second: SampleSet | None = None
    distance_first: SampleSet | None = None


@dataclass(frozen=True)
class FamilyMeasure:
    """One measure of two families' best samples.

    Arguments:
        name: its column.
        gan, flow: its values.
        difference: that of the flow less that of the GAN, with its standard error; None where one is not known.
    """

    name: str
    gan: float | None
    flow: float | None
    difference: float | None
    error: float | None
    ahead: Family


@dataclass(frozen=True)
class FamilyComparison:
    """The best samples of a GAN compared with the best of a flow, both chosen by held-out images.

    Arguments:
        measures: distance, recall, coverage and copying, in this order.
    """

    gan: SampleSet
    flow: SampleSet
    measures: tuple[FamilyMeasure, ...]

    @property
    def nearer(self) -> Family:
        """The family whose samples are nearer to the official test images."""
        return self.measures[0].ahead


@dataclass(frozen=True)
class SpaceFindings:
    """What was found in one feature space.

    Arguments:
        name: `inception`, `classifier` or another.
        standings: models by the distance of their best epochs, nearest first; empty if one is not finite.
        reference: what these distances are to, `benchmark` (official test images), or `test` where those are missing.
        floor: the distance of held-out to official test images.
        training: the distance of training to official test images.
        floor_ratio: how many times the floor the nearest model is at.
        models: their distances, the GAN first: `model`, and at the `best` epoch by held-out images and at the `last` one the
            number of the epoch and the distance to either split, such as `last_epoch`, `last_on_test`, `last_on_benchmark`.
        unfinished: models of which no epoch was nearer than the last one.
        sets: all sets with more measures: models, external samples, real images, the floor last.
        compared: those of models' best epochs, flows and external samples that are of the usual size.
        families: GANs compared with flows; None where there are none of one of them.
        limit_shift: by how much, at most, a distance falls at infinitely many samples.
    """

    name: str
    lead: Lead
    standings: tuple[Standing, ...]
    reference: str
    floor: float | None
    training: float | None
    floor_verdict: FloorVerdict
    floor_ratio: float | None
    models: tuple[Row, ...]
    unfinished: tuple[str, ...]
    sets: tuple[SampleSet, ...]
    compared: tuple[SampleSet, ...]
    families: FamilyComparison | None
    kernel: KernelFindings
    limit_order: Agreement
    limit_shift: float | None

    @property
    def measured_kernel_subsets(self) -> tuple[int, ...]:
        """Sizes of the subsets of the kernel distance, ascending."""
        return tuple(sorted({s.row["kid_subset"] for s in self.sets if s.row.get("kid_subset") is not None}))


@dataclass(frozen=True)
class FIDFindings:
    """What was found in all feature spaces.

    Arguments:
        spaces: in alphabetical order.
        metrics: as the node `score_samples` returns them, for sizes and notes.
        few_samples: whether published distances are from more.
        several: whether more than one model was trained.
        converted: what was done to external samples, by name, where anything was.
    """

    spaces: tuple[SpaceFindings, ...]
    agreement: Agreement
    agreed: str
    metrics: Mapping[str, Any]
    few_samples: bool
    several: bool
    converted: Mapping[str, str]

    def space(self, name: str) -> SpaceFindings | None:
        """Returns what was found in a feature space; None where nothing was measured there."""
        return next((space for space in self.spaces if space.name == name), None)

    @property
    def external(self) -> bool:
        """Whether external samples were scored."""
        return bool(self.metrics.get("conversions"))


def fid(metrics: Mapping[str, Any]) -> FIDFindings:
    """Concludes from the metrics that the node `score_samples` returns."""
    metrics = {**_ABSENT, **metrics}
    names = sorted({row["feature_space"] for row in (*metrics["rows"], *metrics["quality"])})
    spaces = tuple(_space(metrics, name) for name in names)
    leaders = [space.standings[0].model for space in spaces if len(space.standings) > 1]
    agreement = Agreement.UNKNOWN
    if len(leaders) > 1:
        agreement = Agreement.AGREE if len(set(leaders)) == 1 else Agreement.DISAGREE
    samples = metrics["samples"]
    return FIDFindings(
        spaces=spaces,
        agreement=agreement,
        agreed=leaders[0] if leaders else "",
        metrics=metrics,
        few_samples=is_number(samples) and samples < criteria.PUBLISHED_SAMPLES,
        several=len({row["model"] for row in metrics["rows"]}) > 1,
        converted={name: what for name, what in metrics.get("conversions", {}).items() if what != "none"},
    )


def _space(metrics: Mapping[str, Any], name: str) -> SpaceFindings:
    models = _models(metrics, name)
    standings, reference = _ranking(models)
    sets = _sets(metrics, name)
    compared = [s for s in sets if s.row["state"] in ("best", "flow", "external") and _usual(s, metrics)]
    real = {s.row["state"]: s for s in sets if s.row["state"] in ("training", "floor")}
    trained_on = real["training"].row.get("distance_benchmark") if "training" in real else None
    floor, floor_set = metrics.get("floor", {}).get(name), real.get("floor")
    error = floor_set.row.get("distance_infinite_error") if floor_set else None
    best = standings[0].distance if standings else None
    verdict = criteria.above_floor(best, floor, error)
    limit_order, shift = _limit(compared)
    return SpaceFindings(
        name=name,
        lead=_lead(models, standings, name == "inception"),
        standings=tuple(standings),
        reference=reference,
        floor=floor if is_number(floor) and floor > 0 else None,
        training=trained_on if is_number(trained_on) else None,
        floor_verdict=verdict,
        floor_ratio=None if verdict is FloorVerdict.UNKNOWN or best is None else best / floor,
        models=models,
        unfinished=tuple(model["model"] for model in models if model["best_epoch"] == model["last_epoch"]),
        sets=tuple(sets),
        compared=tuple(compared),
        families=_families(compared, metrics["copying_images"], name == "inception"),
        kernel=_kernel(compared),
        limit_order=limit_order,
        limit_shift=shift,
    )


def _usual(found: SampleSet, metrics: Mapping[str, Any]) -> bool:
    """Whether a set is of the same size as the models' samples: most measures depend on it."""
    return bool(found.row["samples"] == metrics["samples"])


def _models(metrics: Mapping[str, Any], space: str) -> tuple[Row, ...]:
    rows = {row["model"]: row for row in metrics["rows"] if row["feature_space"] == space}
    return tuple({**_NOT_MEASURED, **rows[model]} for model in model_order(rows))


def _ranking(models: Sequence[Row]) -> tuple[list[Standing], str]:
    for split in ("benchmark", "test"):
        distances = [(model[f"best_on_{split}"], model["model"]) for model in models]
        if distances and all(is_number(distance) for distance, _ in distances):
            return sorted(Standing(*found) for found in distances), split
    return [], ""


def _lead(models: Sequence[Row], standings: Sequence[Standing], inception: bool) -> Lead:
    if not models:
        return Lead.NO_MODEL
    if not standings:
        return Lead.UNKNOWN
    if len(standings) == 1:
        return Lead.ALONE
    return Lead.NOISE if criteria.close(standings[0].distance, standings[1].distance, inception) else Lead.CLEAR


def _sets(metrics: Mapping[str, Any], space: str) -> list[SampleSet]:
    rows = [row for row in metrics["quality"] if row["feature_space"] == space]
    last, best = ({(row["model"], row["epoch"]) for row in rows if row["state"] == state} for state in ("last", "best"))
    rows = [row for row in rows if row["state"] != "last" or (row["model"], row["epoch"]) not in best]
    floor: Row = next((row for row in rows if row["state"] == "floor" and row["samples"] == metrics["samples"]), {})
    places = {model: place for place, model in enumerate(model_order({row["model"] for row in rows}))}
    rows.sort(key=lambda row: (max(_PLACES[row["state"]], 1), places[row["model"]], _PLACES[row["state"]]))
    return [_set(row, floor, (row["model"], row["epoch"]) in last, metrics["copying_images"]) for row in rows]


def _set(row: Row, floor: Row, also_last: bool, copying_images: int | None) -> SampleSet:
    known = all(is_number(row.get(name)) and is_number(floor.get(name)) and floor[name] > 0 for name in _MEASURES)
    density, coverage = (row[name] / floor[name] if known else None for name in ("density", "coverage"))
    of_best = row["state"] == "best" and also_last
    copying = criteria.copying(row.get("copying_probability"), copying_images)
    return SampleSet(row, of_best, criteria.weakness(density, coverage), copying, density, coverage)


def _families(sets: Sequence[SampleSet], copying_images: int | None, inception: bool) -> FamilyComparison | None:
    chosen = []
    for state in ("best", "flow"):
        known = [s for s in sets if s.row["state"] == state and is_number(s.row["distance_test"])]
        if not known:
            return None
        chosen.append(min(known, key=lambda s: s.row["distance_test"]))
    gan, flow = chosen
    rows = gan.row, flow.row

    def measure(name: str, error: Callable[[Row], object], least: float, smaller_is_better: bool) -> FamilyMeasure:
        of_gan, of_flow = (row.get(name) for row in rows)
        errors = [found for row in rows if is_number(found := error(row))]
        if not is_number(of_gan) or not is_number(of_flow) or len(errors) < 2:
            return FamilyMeasure(name, of_gan, of_flow, None, None, Family.UNKNOWN)
        difference, both = of_flow - of_gan, math.hypot(*errors)
        ahead = criteria.family_ahead(difference, both, least, smaller_is_better)
        return FamilyMeasure(name, of_gan, of_flow, difference, both, ahead)

    def of_fraction(name: str) -> Callable[[Row], object]:
        return lambda row: criteria.fraction_error(row[name], row["samples"]) if is_number(row.get(name)) else None

    noise = criteria.seed_noise([row["distance_test"] for row in rows], inception)
    copying = None if copying_images is None else criteria.copying_error(copying_images)
    measures = (
        measure("distance_infinite", lambda row: row.get("distance_infinite_error"), noise, True),
        *(measure(name, of_fraction(name), criteria.CLOSE_QUALITY, False) for name in ("recall", "coverage")),
        measure("copying_probability", lambda row: copying, 0.0, True),
    )
    return FamilyComparison(gan, flow, measures)


def _kernel(sets: Sequence[SampleSet]) -> KernelFindings:
    known = [s for s in sets if is_number(s.row.get("kid")) and is_number(s.row.get("distance_benchmark"))]
    if len(known) < 2:
        return KernelFindings(Agreement.UNKNOWN)
    first, second = sorted(known, key=lambda s: s.row["kid"])[:2]
    nearest = min(known, key=lambda s: s.row["distance_benchmark"])
    if second.row["kid"] - first.row["kid"] < max(first.row["kid_deviation"], second.row["kid_deviation"]):
        order = Agreement.TIED
    else:
        order = Agreement.AGREE if first is nearest else Agreement.DISAGREE
    return KernelFindings(order, first, second, nearest)


def _limit(sets: Sequence[SampleSet]) -> tuple[Agreement, float | None]:
    rows = [s.row for s in sets]
    known = [row for row in rows if is_number(row.get("distance_infinite")) and is_number(row["distance_benchmark"])]
    if len(known) < 2:
        return Agreement.UNKNOWN, None
    finite, infinite = (
        sorted(known, key=lambda row: row[column]) for column in ("distance_benchmark", "distance_infinite")
    )
    shift = max(row["distance_benchmark"] - row["distance_infinite"] for row in known)
    return (Agreement.AGREE if finite == infinite else Agreement.DISAGREE), shift
