"""Many independent estimates of one log-determinant, and what they show of mean and variance."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import torch
from numpy.typing import NDArray

from fashion_dgm.experiments.log_det.blocks import Block
from fashion_dgm.flows.log_det import ProbeKind, draw_probes, probe_powers
from fashion_dgm.flows.series_weights import Roulette, Truncation

__all__ = ["Interval", "draw_lengths", "draw_terms", "estimates", "mean_of", "quantile", "variance_of"]

Array = NDArray[np.float64]
PROBES_AT_ONCE = 4096


@dataclass(frozen=True)
class Interval:
    """A measured value, its standard error, and the interval at some level of confidence."""

    value: float
    error: float
    low: float
    high: float


def draw_terms(block: Block, draws: int, kind: ProbeKind, terms: int, generator: torch.Generator) -> Array:
    """Draws `d_k = (-1)^(k+1) / k v^T J^k v` for independent probes, by the code that trains flows.

    Returns:
        `(terms, draws)`.
    """
    parts = []
    for start in range(0, draws, PROBES_AT_ONCE):
        probes = draw_probes(block.x, min(PROBES_AT_ONCE, draws - start), kind, generator)
        _, powers = probe_powers(block.g, block.x, probes, terms)
        parts.append(powers[:, :, 0])
    k = torch.arange(1, terms + 1, dtype=torch.float64)[:, None]
    return (torch.cat(parts, dim=1) * -((-1) ** k) / k).numpy()


def draw_lengths(series: Truncation | Roulette, draws: int, generator: torch.Generator) -> NDArray[np.int64]:
    """Draws how many terms each of `draws` estimates computes, `(draws,)`."""
    if isinstance(series, Truncation):
        return np.full(draws, series.terms)
    return np.array([series.exact_terms + series.distribution.sample(generator) for _ in range(draws)])


def estimates(series: Truncation | Roulette, terms: Array, lengths: NDArray[np.int64]) -> Array:
    """Returns `sum_{k <= n} c_k d_k` for each draw with its own number n of terms.

    Arguments:
        series: gives the weights `c_k`.
        terms: `(K, draws)`, K at least the greatest length.
        lengths: n, `(draws,)`.
    """
    longest = int(lengths.max())
    chance = [1.0 if isinstance(series, Truncation) else series.at_least(k) for k in range(1, longest + 1)]
    sums = np.cumsum(terms[:longest] / np.array(chance)[:, None], axis=0)
    sums = np.vstack([np.zeros_like(terms[:1]), sums])
    return sums[lengths, np.arange(len(lengths))]


def quantile(confidence: float, comparisons: int = 1) -> float:
    """Returns how many standard errors a two-sided interval reaches, after Bonferroni where there are several."""
    return NormalDist().inv_cdf(1 - (1 - confidence) / (2 * comparisons))


def mean_of(values: Array, confidence: float) -> Interval:
    """Returns the mean of independent draws `(M,)`."""
    mean, error = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))
    return _interval(mean, error, confidence)


def variance_of(values: Array, confidence: float) -> Interval:
    """Returns the variance of independent draws `(M,)`, its error from their fourth moment."""
    squares = (values - values.mean()) ** 2
    variance = float(squares.sum()) / (len(values) - 1)
    return _interval(variance, float(squares.std()) / math.sqrt(len(values)), confidence)


def _interval(value: float, error: float, confidence: float) -> Interval:
    reach = quantile(confidence) * error
    return Interval(value, error, value - reach, value + reach)
