from __future__ import annotations

import json
import math

import pytest

from fashion_dgm.experiments.stability.measures import (
    COMPARED,
    Collapse,
    RunRecord,
    Score,
    degradations,
    measures_of,
    summarised,
)
from fashion_dgm.metrics.modes import class_entropy, missing_classes

EVEN = (0.1,) * 10
ONE = (1.0,) + (0.0,) * 9
COLLAPSE = Collapse(least_fraction=0.01, missing=3)
UNTRAINED = 170.0


def record(
    distances: list[float], status: str = "finished", fractions: tuple[float, ...] = EVEN, **columns: list[float]
) -> RunRecord:
    history = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    scores = [Score(epoch, distance, fractions) for epoch, distance in enumerate(distances, start=1)]
    return RunRecord("gan", "as_assigned", 0, status, "", 5, {}, history, scores)  # type: ignore[arg-type]


def measured(run: RunRecord) -> dict[str, float]:
    return measures_of(run, COLLAPSE, UNTRAINED)


def test_a_run_without_warnings() -> None:
    found = measured(record([40.0] * 5, loss_discriminator=[1.0] * 5, gradient_norm_generator=[2.0] * 5))
    assert found["distance"] == 40
    assert found["log_distance"] == pytest.approx(math.log(40))
    assert found["distance_oscillation"] == found["loss_oscillation"] == found["gradient_variation"] == 0
    assert found["class_entropy"] == pytest.approx(1)
    assert found["failed"] == found["missing_classes"] == found["progress"] == 0


def test_halving_every_epoch_is_a_trend_and_swinging_by_half_is_not() -> None:
    assert measured(record([80.0, 40, 20, 10, 5]))["distance_oscillation"] == pytest.approx(0, abs=1e-12)
    swinging = measured(record([40.0, 20, 40, 20, 40]))
    # Its residuals are log 2 each.
    assert swinging["distance_oscillation"] == pytest.approx(math.sqrt(2 / 3) * math.log(2))


def test_the_critics_estimate_stands_for_its_loss() -> None:
    found = measured(record([1.0], loss_discriminator=[1.0, 9, 1, 9], wasserstein_estimate=[2.0, 2, 2, 2]))
    assert found["loss_oscillation"] == 0


def test_diverged_run_fails_and_keeps_what_it_had() -> None:
    found = measured(record([50.0, 30.0], "diverged", loss_discriminator=[1.0, 2.0]))
    assert (found["diverged"], found["collapsed"], found["failed"]) == (1, 0, 1)
    at_once = measured(record([], "diverged"))
    assert (at_once["failed"], at_once["epochs"]) == (1, 0)
    assert all(math.isnan(at_once[name]) for name in ("class_entropy", "loss_oscillation"))
    # Both count as if nothing had been learned, whatever the distance was before.
    assert found["distance"] == at_once["distance"] == UNTRAINED


def test_collapse_is_seen_in_the_classes() -> None:
    assert measured(record([9.0], fractions=ONE))["collapsed"] == 1
    two_missing = (0.0, 0.009, *(0.991 / 8,) * 8)
    found = measured(record([9.0], fractions=two_missing))
    assert (found["missing_classes"], found["collapsed"]) == (2, 0)
    assert missing_classes(ONE, 0.01) == 9
    assert class_entropy(ONE) == 0
    assert class_entropy((0.5, 0.5, 0, 0)) == pytest.approx(0.5)


def test_only_getting_worse_is_a_degradation() -> None:
    logs = {("base", 0): math.log(10), ("fast", 0): math.log(20), ("bare", 0): math.log(5), ("fast", 1): math.log(7)}
    found = degradations(logs, "base")
    assert found["fast", 0] == pytest.approx(math.log(2))
    assert found["bare", 0] == 0
    assert math.isnan(found["fast", 1])
    assert ("base", 0) not in found


def test_progress_is_the_relative_reduction_of_the_first_distance() -> None:
    assert measured(record([80.0, 90.0, 20.0]))["progress"] == pytest.approx(0.75)
    assert math.isnan(measured(record([]))["progress"])


def test_every_compared_measure_is_measured() -> None:
    assert set(COMPARED) - {"degradation", "assigned_log_distance"} <= set(measured(record([1.0])))


def test_record_survives_a_file() -> None:
    before = record([3.0, 2.0], "diverged", loss_generator=[0.5, 0.7])
    assert RunRecord.from_json(json.loads(json.dumps(before.to_json()))) == before


def test_summary_counts_what_has_a_value() -> None:
    assert summarised([1.0, 3.0, math.nan]) == {"mean": 2.0, "sd": pytest.approx(math.sqrt(2)), "runs": 2}
    assert summarised([math.nan]) == {"mean": None, "sd": None, "runs": 0}
