"""Which of two models has less of some measure: paired over seeds, with an interval."""

# Explained in docs/stability.md.

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import ttest_1samp

__all__ = ["Outcome", "Verdict", "compare", "more_stable", "seed_means"]

Outcome = Literal["first", "second", "undecided", "mixed"]


@dataclass(frozen=True)
class Verdict:
    """A mean paired difference, first minus second, and what it decides.

    Arguments:
        difference: NaN where there is no pair.
        interval: bounds by Student's t; NaN for fewer than two pairs, or where all differences are equal.
        pairs: how many seeds have a value on both sides.
        left_out: how many have not.
        outcome: which model has less, and less is better for every measure here; undecided if the interval includes 0.
    """

    difference: float
    interval: tuple[float, float]
    pairs: int
    left_out: int
    outcome: Outcome


def seed_means(runs: Mapping[tuple[str, int], float]) -> dict[int, float]:
    """Returns the mean over the variations of each seed; NaN for a seed of which no run has a value.

    Runs of one seed share initial weights, the order of images and noise, so they are no independent sample; seeds are.

    Arguments:
        runs: a measure by (variation, seed).
    """
    by_seed: dict[int, list[float]] = {}
    for (_, seed), value in runs.items():
        by_seed.setdefault(seed, []).append(value)
    return {
        seed: float(np.mean(finite)) if (finite := [v for v in values if math.isfinite(v)]) else math.nan
        for seed, values in sorted(by_seed.items())
    }


def compare(first: Mapping[int, float], second: Mapping[int, float], confidence: float) -> Verdict:
    """Compares two models on one measure by the paired t-test over seeds.

    Arguments:
        first: a value for each seed, such as from `seed_means`.
        second: the same of the other model.
        confidence: level of the interval, in `(0, 1)`.
    """
    shared = set(first) & set(second)
    differences = np.array([first[seed] - second[seed] for seed in sorted(shared)], dtype=np.float64)
    paired = differences[np.isfinite(differences)]
    left_out = len(shared) - len(paired)
    if not len(paired):
        return Verdict(math.nan, (math.nan, math.nan), 0, left_out, "undecided")
    difference = float(paired.mean())
    # Seeds that agree to the digit, as fractions of failed runs may, are no proof that others would.
    if len(paired) < 2 or np.ptp(paired) == 0:
        return Verdict(difference, (math.nan, math.nan), len(paired), left_out, "undecided")
    interval = ttest_1samp(paired, 0.0).confidence_interval(confidence)
    low, high = float(interval.low), float(interval.high)
    outcome: Outcome = "first" if high < 0 else "second" if low > 0 else "undecided"
    return Verdict(difference, (low, high), len(paired), left_out, outcome)


def more_stable(degradation: Outcome, distance: Outcome) -> Outcome:
    """Returns which model is more stable: the one that degrades less, unless its images are farther away all the same.

    Arguments:
        degradation: which model degrades less under the variations.
        distance: which model's images are nearer under the variations. A model that is poor to begin with has little to
            lose, so one that is decidedly the farther is not called more stable: "mixed".
    """
    if degradation == "undecided" or distance in (degradation, "undecided"):
        return degradation
    return "mixed"
