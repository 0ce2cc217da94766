"""What the Fréchet distances and the other measures of sample quality have shown."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import Agreement, Family, FloorVerdict, Lead, is_number
from fashion_dgm.findings.gan import model_order
from fashion_dgm.findings.row import Row

__all__ = ["FIDFindings", "SpaceFindings", "Standing", "fid"]

_MEASURES = ("precision", "recall", "density", "coverage")
_ABSENT: Row = {
    **dict.fromkeys(("quality", "failures", "missing", "warnings"), ()),
    **dict.fromkeys(("samples", "seed", "neighbours", "extrapolation_groups")),
    "kid": {"subsets": None},
    **{key: {} for key in ("feature_spaces", "conversions", "floor")},
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
class SpaceFindings:
    """What was found in one feature space.

    Arguments:
        name: `classifier`, `efficientnet`, `inception` or another.
        standings: models by the distance of their best epochs, nearest first; empty if one is not finite.
        reference: what these distances are to, `benchmark` (official test images), or `test` where those are missing.
        floor: the distance of held-out to official test images.
        training: the distance of training to official test images.
        floor_ratio: how many times the floor the nearest model is at.
        models: their distances, the GAN first: `model`, and at the `best` epoch by held-out images and at the `last` one the
            number of the epoch and the distance to either split, such as `last_epoch`, `last_on_test`, `last_on_benchmark`.
        unfinished: models of which no epoch was nearer than the last one.
        sets: all sets with more measures, as `evaluation.scoring.Scores.quality` has them: models, external samples, real
            images, the floor last. `also_last` if of a model's best epoch, and that is the last one; the `weakness`, by
            `of_floor`, the density and coverage as fractions of those of held-out images, None where one is not known; and
            whether the images lie nearer to training images than held-out ones do, `copying`.
        compared: those of models' best epochs, flows and external samples that are of the usual size.
        families: the best samples of a `gan` compared with the best of a `flow`, both chosen by held-out images: which
            family is `nearer` to the official test images, and the `measures` distance, recall, coverage and copying: the
            column, both values, that of the flow less that of the GAN with its standard error, None where one is not known,
            and the family `ahead`. None where there are no samples of one of them.
        kernel: how the `order` by the kernel distance compares with that by the Fréchet distance, the `first` and the
            `second` set by the former, and the first by the latter, `distance_first`.
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
    sets: tuple[Row, ...]
    compared: tuple[Row, ...]
    families: Row | None
    kernel: Row
    limit_order: Agreement
    limit_shift: float | None

    @property
    def measured_kernel_subsets(self) -> tuple[int, ...]:
        """Sizes of the subsets of the kernel distance, ascending."""
        return tuple(sorted({s["kid_subset"] for s in self.sets if s.get("kid_subset") is not None}))


@dataclass(frozen=True)
class FIDFindings:
    """What was found in all feature spaces.

    Arguments:
        spaces: in alphabetical order.
        ranking: how the spaces order the sets that all of them have: `sets`, the nearest in the first space first, each with
            its `distances` by space, and the `order`: whether every space has them in the same one, tied where they differ
            in sets that are as close as two seeds; a pair that is `disputed`, which is `nearer` and which `farther` in
            the space `by`, and the other way round in the `other`; None where there is none.
        metrics: as the node `score_samples` returns them, for sizes and notes.
        few_samples: whether published distances are from more.
        several: whether more than one model was trained.
        converted: what was done to external samples, by name, where anything was.
    """

    spaces: tuple[SpaceFindings, ...]
    ranking: Row
    metrics: Row
    few_samples: bool
    several: bool
    converted: Mapping[str, str]

    def space(self, name: str) -> SpaceFindings | None:
        """Returns what was found in a feature space; None where nothing was measured there."""
        return next((space for space in self.spaces if space.name == name), None)


def fid(metrics: Row) -> FIDFindings:
    """Concludes from the metrics that the node `score_samples` returns."""
    metrics = {**_ABSENT, **metrics}
    names = sorted({row["feature_space"] for row in (*metrics["rows"], *metrics["quality"])})
    spaces = tuple(_space(metrics, name) for name in names)
    samples = metrics["samples"]
    return FIDFindings(
        spaces=spaces,
        ranking=_ranking_by_space(spaces),
        metrics=metrics,
        few_samples=is_number(samples) and samples < criteria.PUBLISHED_SAMPLES,
        several=len({row["model"] for row in metrics["rows"]}) > 1,
        converted={name: what for name, what in metrics["conversions"].items() if what != "none"},
    )


def _space(metrics: Row, name: str) -> SpaceFindings:
    models = _models(metrics, name)
    standings, reference = _ranking(models)
    sets = _sets(metrics, name)
    # Most measures depend on the size of a set.
    usual = [s for s in sets if s["samples"] == metrics["samples"]]
    compared = [s for s in usual if s["state"] in ("best", "flow", "external")]
    real: dict[str, Row] = {"training": {}, "floor": {}, **{s["state"]: s for s in sets}}
    trained_on, floor = real["training"].get("distance_benchmark"), metrics["floor"].get(name)
    best = standings[0].distance if standings else None
    verdict = criteria.above_floor(best, floor, real["floor"].get("distance_infinite_error"))
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


def _models(metrics: Row, space: str) -> tuple[Row, ...]:
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


def _sets(metrics: Row, space: str) -> list[Row]:
    rows = [row for row in metrics["quality"] if row["feature_space"] == space]
    last, best = ({(row["model"], row["epoch"]) for row in rows if row["state"] == state} for state in ("last", "best"))
    rows = [row for row in rows if row["state"] != "last" or (row["model"], row["epoch"]) not in best]
    floor: Row = next((row for row in rows if row["state"] == "floor" and row["samples"] == metrics["samples"]), {})
    places = {model: place for place, model in enumerate(model_order({row["model"] for row in rows}))}
    rows.sort(key=lambda row: (max(_PLACES[row["state"]], 1), places[row["model"]], _PLACES[row["state"]]))
    return [_set(row, floor, (row["model"], row["epoch"]) in last, metrics["copying_images"]) for row in rows]


def _set(row: Row, floor: Row, is_last: bool, copying_images: int | None) -> Row:
    known = all(is_number(row.get(name)) and is_number(floor.get(name)) and floor[name] > 0 for name in _MEASURES)
    of_floor = {name: row[name] / floor[name] if known else None for name in ("density", "coverage")}
    searched = None if copying_images is None else min(copying_images, row["samples"])
    copying = criteria.copying(row.get("copying_probability"), searched)
    weakness, also_last = criteria.weakness(*of_floor.values()), row["state"] == "best" and is_last
    # Older results have no copying probability.
    found = {"also_last": also_last, "weakness": weakness, "of_floor": of_floor, "copying": copying}
    return {"copying_probability": None, **row, **found}


def _families(sets: Sequence[Row], copying_images: int | None, inception: bool) -> Row | None:
    known = [s for s in sets if is_number(s["distance_test"])]
    gans, flows = ([s for s in known if s["state"] == state] for state in ("best", "flow"))
    if not gans or not flows:
        return None
    gan, flow = (min(family, key=lambda s: s["distance_test"]) for family in (gans, flows))
    noise = criteria.seed_noise([gan["distance_test"], flow["distance_test"]], inception)
    copying = None if copying_images is None else criteria.copying_error(copying_images)

    def of_fraction(name: str) -> list[object]:
        return [criteria.fraction_error(s[name], s["samples"]) if is_number(s.get(name)) else None for s in (gan, flow)]

    def measure(name: str, errors: Sequence[object], least: float, smaller_is_better: bool) -> Row:
        of_gan, of_flow = gan.get(name), flow.get(name)
        values = {"name": name, "gan": of_gan, "flow": of_flow}
        if not is_number(of_gan) or not is_number(of_flow) or not all(map(is_number, errors)):
            return {**values, "difference": None, "error": None, "ahead": Family.UNKNOWN}
        difference, error = of_flow - of_gan, math.hypot(*filter(is_number, errors))
        ahead = criteria.family_ahead(difference, error, least, smaller_is_better)
        return {**values, "difference": difference, "error": error, "ahead": ahead}

    distance = measure("distance_infinite", [s.get("distance_infinite_error") for s in (gan, flow)], noise, True)
    close = {"recall": criteria.CLOSE_RECALL, "coverage": criteria.CLOSE_QUALITY}
    fractions = (measure(name, of_fraction(name), least, False) for name, least in close.items())
    measures = (distance, *fractions, measure("copying_probability", [copying, copying], 0.0, True))
    return {"gan": gan, "flow": flow, "measures": measures, "nearer": distance["ahead"]}


def _ranking_by_space(spaces: Sequence[SpaceFindings]) -> Row:
    found: dict[tuple[str, str, float | None], Row] = {}
    for space in spaces:
        for s in space.compared:
            # The best epoch may be another one in every space.
            identity = s["model"], s["state"], s.get("temperature")
            known = found.setdefault(identity, {**s, "distances": {}})
            if is_number(s["distance_benchmark"]):
                known["distances"][space.name] = s["distance_benchmark"]
    names = [space.name for space in spaces if space.compared]
    sets = [s for s in found.values() if len(s["distances"]) == len(names)]
    orders = [sorted(sets, key=lambda s: s["distances"][name]) for name in names]
    if len(names) < 2 or len(sets) < 2:
        return {"order": Agreement.UNKNOWN, "sets": tuple(sets), "disputed": None}
    disputed = next(filter(None, itertools.starmap(_disputed, itertools.combinations(orders[0], 2))), None)
    order = (
        Agreement.DISAGREE if disputed else Agreement.AGREE if orders.count(orders[0]) == len(names) else Agreement.TIED
    )
    return {"order": order, "sets": tuple(orders[0]), "disputed": disputed}


def _disputed(first: Row, second: Row) -> Row | None:
    """Returns the pair as two spaces order it differently, each by more than noise between seeds; None if none do."""
    nearer: dict[bool, str] = {}
    for name, distance in first["distances"].items():
        if not criteria.close(distance, second["distances"][name], name == "inception"):
            nearer.setdefault(distance < second["distances"][name], name)
    if len(nearer) < 2:
        return None
    return {"nearer": first, "farther": second, "by": nearer[True], "other": nearer[False]}


def _kernel(sets: Sequence[Row]) -> Row:
    known = [s for s in sets if is_number(s.get("kid")) and is_number(s.get("distance_benchmark"))]
    if len(known) < 2:
        return {"order": Agreement.UNKNOWN}
    first, second = sorted(known, key=lambda s: s["kid"])[:2]
    nearest = min(known, key=lambda s: s["distance_benchmark"])
    if second["kid"] - first["kid"] < max(first["kid_deviation"], second["kid_deviation"]):
        order = Agreement.TIED
    else:
        order = Agreement.AGREE if first is nearest else Agreement.DISAGREE
    return {"order": order, "first": first, "second": second, "distance_first": nearest}


def _limit(rows: Sequence[Row]) -> tuple[Agreement, float | None]:
    known = [row for row in rows if is_number(row.get("distance_infinite")) and is_number(row["distance_benchmark"])]
    if len(known) < 2:
        return Agreement.UNKNOWN, None
    finite, infinite = (
        sorted(known, key=lambda row: row[column]) for column in ("distance_benchmark", "distance_infinite")
    )
    shift = max(row["distance_benchmark"] - row["distance_infinite"] for row in known)
    return (Agreement.AGREE if finite == infinite else Agreement.DISAGREE), shift
