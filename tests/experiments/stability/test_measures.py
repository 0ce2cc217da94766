import math

import numpy as np
import pytest
from tests.experiments.stability.test_runs import configured

from fashion_dgm.experiments.stability.measures import (
    COMPARED,
    RunRecord,
    Score,
    coefficient_of_variation,
    last,
    measures_of,
    oscillation,
    relative_oscillation,
)

EVERY = (oscillation, relative_oscillation, coefficient_of_variation, last)
EVEN = (0.1,) * 10
ONE = (1.0,) + (0.0,) * 9
UNTRAINED = 170.0


def test_constant_and_straight_lines_do_not_oscillate() -> None:
    assert oscillation(np.full(9, 4.2)) == relative_oscillation(np.full(9, -4.2)) == 0
    for slope in (-3.0, 0.01, 250.0):
        assert oscillation(7 + slope * np.arange(20)) == pytest.approx(0, abs=1e-12 * (1 + abs(slope) * 20))


def test_a_smooth_decay_is_a_trend_and_not_an_oscillation() -> None:
    """docs/stability.md#measures-of-a-run"""
    decay = 80 * np.exp(-np.arange(12) / 6)
    about_a_line = np.std(decay - np.polyval(np.polyfit(range(12), decay, 1), range(12)))
    assert oscillation(decay) < 0.1 * about_a_line


@pytest.mark.parametrize("trend", [0.0, 5.0])
def test_oscillation_of_a_sine_and_of_white_noise(trend: float) -> None:
    amplitude, step, i = 3.0, 2 * math.pi / 5, np.arange(20_000)
    wave = amplitude * np.sin(step * i + 0.3) + trend * i + 11
    assert oscillation(wave) == pytest.approx(amplitude * (1 - math.cos(step)) / math.sqrt(3), rel=1e-3)
    # Bound of 5 standard errors: with another seed it would fail once in a million times.
    noise = np.random.default_rng(0).normal(scale=2.0, size=20_000)
    assert oscillation(noise + trend * i) == pytest.approx(2.0, rel=0.05)


def test_relative_measures_do_not_depend_on_units() -> None:
    series = 1 + np.random.default_rng(1).random(30)
    for measure in (relative_oscillation, coefficient_of_variation):
        assert measure(1000 * series) == pytest.approx(measure(series))
    assert relative_oscillation(-series) == pytest.approx(relative_oscillation(series))
    assert coefficient_of_variation([1.0, 2.0, 3.0]) == pytest.approx(0.5)


def test_a_run_that_broke_off_is_measured_by_what_it_did_before_and_of_nothing_nothing_is_said() -> None:
    whole, broken = [1.0, 3.0, 1.0, 3.0], [1.0, 3.0, 1.0, 3.0, math.nan, math.inf]
    for measure in EVERY:
        assert measure(broken) == measure(whole)
        assert all(math.isnan(measure(values)) for values in ([], [math.nan], [math.inf, math.nan]))
    assert math.isnan(oscillation([1.0, 2.0])) and math.isnan(coefficient_of_variation([1.0]))


def record(
    distances: list[float], status: str = "finished", fractions: tuple[float, ...] = EVEN, **columns: list[float]
) -> RunRecord:
    history = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    scores = [Score(epoch, distance, fractions) for epoch, distance in enumerate(distances, start=1)]
    return RunRecord("gan", "as_assigned", 0, status, "", 5, {}, history, scores)  # type: ignore[arg-type]


def measured(run: RunRecord) -> dict[str, float]:
    return measures_of(run, configured(missing_fraction=0.01, missing_classes=3), UNTRAINED)


def test_a_run_without_warnings() -> None:
    columns = {"loss_discriminator": [1.0] * 5, "gradient_norm_generator": [2.0] * 5}
    found = measured(record([40.0] * 5, **columns))
    assert found["distance"] == 40
    assert found["log_distance"] == pytest.approx(math.log(40))
    assert found["distance_oscillation"] == found["loss_oscillation"] == found["gradient_variation"] == 0
    assert found["class_entropy"] == pytest.approx(1)
    assert found["failed"] == found["missing_classes"] == found["progress"] == 0
    assert set(COMPARED) - {"degradation", "assigned_log_distance"} <= set(found)
    # A critic's estimate stands for its loss.
    assert (
        measured(record([40.0], wasserstein_estimate=[1.0, 9] * 2, loss_discriminator=[1.0] * 4))["loss_oscillation"]
        > 1
    )


def test_distances_are_measured_by_their_ratios() -> None:
    halving = measured(record([80.0, 40, 20, 10, 5]))
    assert halving["distance_oscillation"] == pytest.approx(0, abs=1e-12)
    assert halving["progress"] == pytest.approx(1 - 5 / 80)
    # The residuals are log 2 each.
    swinging = measured(record([40.0, 20, 40, 20, 40]))
    assert swinging["distance_oscillation"] == pytest.approx(math.sqrt(2 / 3) * math.log(2))


def test_diverged_run_fails_and_keeps_what_it_had() -> None:
    found = measured(record([50.0, 30.0], "diverged", loss_discriminator=[1.0, 2.0]))
    assert (found["diverged"], found["collapsed"], found["failed"]) == (1, 0, 1)
    at_once = measured(record([], "diverged"))
    assert (at_once["failed"], at_once["epochs"]) == (1, 0)
    assert all(math.isnan(at_once[name]) for name in ("class_entropy", "loss_oscillation", "progress"))
    # Both count as if nothing had been learned, whatever the distance was before.
    assert found["distance"] == at_once["distance"] == UNTRAINED


def test_collapse_is_seen_in_the_classes() -> None:
    assert measured(record([9.0], fractions=ONE))["collapsed"] == 1
    two_missing = (0.0, 0.009, *(0.991 / 8,) * 8)
    found = measured(record([9.0], fractions=two_missing))
    assert (found["missing_classes"], found["collapsed"]) == (2, 0)
