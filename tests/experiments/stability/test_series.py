from __future__ import annotations

import math

import numpy as np
import pytest

from fashion_dgm.experiments.stability.series import (
    coefficient_of_variation,
    last,
    oscillation,
    relative_oscillation,
)

EVERY = (oscillation, relative_oscillation, coefficient_of_variation, last)


def test_constant_and_straight_lines_do_not_oscillate() -> None:
    assert oscillation(np.full(9, 4.2)) == 0
    assert relative_oscillation(np.full(9, -4.2)) == 0
    assert coefficient_of_variation(np.full(9, 4.2)) == pytest.approx(0, abs=1e-15)
    for slope in (-3.0, 0.01, 250.0):
        assert oscillation(7 + slope * np.arange(20)) == pytest.approx(0, abs=1e-12 * (1 + abs(slope) * 20))


def test_a_smooth_decay_is_a_trend_and_not_an_oscillation() -> None:
    """docs/stability.md#measures-of-a-run"""
    decay = 80 * np.exp(-np.arange(12) / 6)
    about_a_line = np.std(decay - np.polyval(np.polyfit(range(12), decay, 1), range(12)))
    assert oscillation(decay) < 0.1 * about_a_line


@pytest.mark.parametrize("trend", [0.0, 5.0])
def test_sine_of_known_amplitude(trend: float) -> None:
    amplitude, step = 3.0, 2 * math.pi / 5
    i = np.arange(5000)
    wave = amplitude * np.sin(step * i + 0.3) + trend * i + 11
    assert oscillation(wave) == pytest.approx(amplitude * (1 - math.cos(step)) / math.sqrt(3), rel=1e-3)


def test_white_noise_has_its_own_standard_deviation() -> None:
    # Bound of 5 standard errors: with another seed it would fail once in a million times.
    noise = np.random.default_rng(0).normal(scale=2.0, size=20_000)
    assert oscillation(noise + 0.1 * np.arange(20_000)) == pytest.approx(2.0, rel=0.05)


def test_relative_measures_do_not_depend_on_units() -> None:
    series = 1 + np.random.default_rng(1).random(30)
    for measure in (relative_oscillation, coefficient_of_variation):
        assert measure(1000 * series) == pytest.approx(measure(series))
    assert relative_oscillation(-series) == pytest.approx(relative_oscillation(series))


def test_coefficient_of_variation_is_the_textbooks() -> None:
    assert coefficient_of_variation([1.0, 2.0, 3.0]) == pytest.approx(0.5)


def test_a_run_that_broke_off_is_measured_by_what_it_did_before() -> None:
    whole, broken = [1.0, 3.0, 1.0, 3.0], [1.0, 3.0, 1.0, 3.0, math.nan, math.inf]
    for measure in EVERY:
        assert measure(broken) == measure(whole)


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf, math.nan]])
def test_of_nothing_nothing_is_said(values: list[float]) -> None:
    assert all(math.isnan(measure(values)) for measure in EVERY)
    assert math.isnan(oscillation([1.0, 2.0]))
    assert math.isnan(coefficient_of_variation([1.0]))
