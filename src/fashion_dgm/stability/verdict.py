"""Which of two models is ahead on some measure, and by how much: paired over seeds, with an interval.

References:
    Welch, The generalization of `Student's' problem when several different population variances are involved (1947).
    Satterthwaite, An approximate distribution of estimates of variance components (1946).
"""

# Explained in docs/stability.md.

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

__all__ = ["Dominance", "Outcome", "Verdict", "compare", "dominance", "paired_differences"]

Outcome = Literal["first", "second", "undecided"]
Dominance = Literal["first", "second", "undecided", "mixed"]
Runs = Mapping[tuple[str, int], float]


@dataclass(frozen=True)
class Verdict:
    """A mean paired difference, first minus second, and what it decides.

    Arguments:
        difference: NaN where there is no pair.
        interval: bounds by Student's t; NaN where some variation has fewer than two pairs, or no variation any spread.
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


def compare(first: Runs, second: Runs, confidence: float) -> Verdict:
    """Says which of two models has the lower measure, on average over the variations.

    The variations are fixed and the seeds are a sample. Each variation has a variance of its own, so the degrees of freedom
    of their mean are Welch and Satterthwaite's. Runs of one seed under different variations count as independent.

    Arguments:
        confidence: level of the interval, in `(0, 1)`.
    """
    by_variation, left_out = paired_differences(first, second)
    groups = [np.array(values) for values in by_variation.values()]
    pairs = sum(len(group) for group in groups)
    if not groups:
        return Verdict(math.nan, (math.nan, math.nan), 0, left_out, "undecided")
    difference = float(np.mean([group.mean() for group in groups]))
    half = _half_width(groups, confidence)
    low, high = difference - half, difference + half
    outcome: Outcome = "first" if high < 0 else "second" if low > 0 else "undecided"
    return Verdict(difference, (low, high), pairs, left_out, outcome)


def dominance(outcomes: Iterable[Outcome]) -> Dominance:
    """Sums up several measures: a model that is ahead on some and behind on none dominates the other."""
    decided = set(outcomes) - {"undecided"}
    if len(decided) == 2:
        return "mixed"
    return decided.pop() if decided else "undecided"


def _half_width(groups: Sequence[NDArray[np.float64]], confidence: float) -> float:
    """NaN where a spread is unknown, with one seed, or none is seen: a handful of seeds is no proof that there is none."""
    if min(len(group) for group in groups) < 2:
        return math.nan
    variances = np.array([group.var(ddof=1) / len(group) for group in groups]) / len(groups) ** 2
    total = variances.sum()
    if total == 0:
        return math.nan
    freedom = total**2 / sum(variance**2 / (len(group) - 1) for variance, group in zip(variances, groups, strict=True))
    return float(np.sqrt(total) * student_t.ppf((1 + confidence) / 2, freedom))
