"""Which of two models is ahead on some measure, and by how much: paired over seeds, with a bootstrap interval.

References:
    Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13: percentile intervals.
    Rao and Wu, Resampling inference with complex survey data (1988), section 2: `n - 1` draws from each stratum.
"""

# Explained in docs/stability.md.

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Outcome", "Verdict", "compare", "paired_differences"]

Outcome = Literal["first", "second", "undecided"]
Runs = Mapping[tuple[str, int], float]


@dataclass(frozen=True)
class Verdict:
    """A mean paired difference, first minus second, and what it decides.

    Arguments:
        difference: NaN where there is no pair.
        interval: percentile bootstrap bounds; NaN where some variation has fewer than two pairs.
        pairs: how many pairs have a value on both sides.
        left_out: how many have not.
        outcome: who is lower, and less is better for every measure here; undecided if the interval includes 0 or is none.
    """

    difference: float
    interval: tuple[float, float]
    pairs: int
    left_out: int
    outcome: Outcome


def paired_differences(first: Runs, second: Runs) -> tuple[dict[str, list[float]], int]:
    """Returns first minus second by variation, a value for each seed that both know, and how many pairs lack a value.

    Arguments:
        first: a measure of the first model's runs by (variation, seed).
        second: the same of the second model's.
    """
    differences: dict[str, list[float]] = {}
    left_out = 0
    for key in sorted(set(first) & set(second)):
        difference = first[key] - second[key]
        if math.isfinite(difference):
            differences.setdefault(key[0], []).append(difference)
        else:
            left_out += 1
    return differences, left_out


def compare(first: Runs, second: Runs, confidence: float, replicates: int, seed: int) -> Verdict:
    """Says which of two models has the lower measure, on average over the variations.

    The variations are fixed and the seeds are a sample, so seeds are resampled within each variation: `n - 1` of `n` pairs,
    with replacement, for `n` of `n` would make intervals of a handful of seeds too narrow (Rao and Wu). Runs of one seed
    under different variations count as independent.

    Arguments:
        confidence: level of the interval, in `(0, 1)`.
        replicates: how many bootstrap samples.
    """
    by_variation, left_out = paired_differences(first, second)
    groups = [np.array(values) for values in by_variation.values()]
    pairs = sum(len(group) for group in groups)
    if not groups:
        return Verdict(math.nan, (math.nan, math.nan), 0, left_out, "undecided")
    difference = float(np.mean([group.mean() for group in groups]))
    if min(len(group) for group in groups) < 2:
        return Verdict(difference, (math.nan, math.nan), pairs, left_out, "undecided")
    low, high = _interval(groups, confidence, replicates, seed)
    outcome: Outcome = "first" if high < 0 else "second" if low > 0 else "undecided"
    return Verdict(difference, (low, high), pairs, left_out, outcome)


def _interval(
    groups: Sequence[NDArray[np.float64]], confidence: float, replicates: int, seed: int
) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    means = np.zeros(replicates)
    for group in groups:
        drawn = rng.integers(len(group), size=(replicates, len(group) - 1))
        means += group[drawn].mean(axis=1) / len(groups)
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return float(low), float(high)
