r"""Measures of one series of values, such as a loss by epoch: `y_1, ..., y_n`.

Values that are missing or not finite are no part of a series, so a measure of a run that broke off is that of what it did
before. Where too little is left to say anything, a measure is NaN, never 0.

References:
    Gasser, Sroka and Jennen-Steinmetz, Residual variance and residual pattern in nonlinear regression (1986), eq. 2.
"""

# Explained in docs/stability.md.

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["coefficient_of_variation", "last", "oscillation", "relative_oscillation"]


def oscillation(values: ArrayLike) -> float:
    r"""Returns the standard deviation of a series about its own smooth trend, in its units; NaN for fewer than 3 values.

    Each value is held against the straight line through its neighbours, `e_i = y_i - (y_{i-1} + y_{i+1}) / 2`, and
    `s^2 = 2/3 mean(e_i^2)`. A straight line has none, however steep, and a slow bend next to none; white noise of variance
    `s^2` has `s`; a sine of amplitude `A` and `w` radians a step has `A (1 - cos w) / sqrt(3)`.
    """
    y = _finite(values)
    if len(y) < 3:
        return math.nan
    residuals = y[1:-1] - (y[:-2] + y[2:]) / 2.0
    return math.sqrt(2.0 / 3.0 * float(np.mean(residuals**2)))


def relative_oscillation(values: ArrayLike) -> float:
    """Returns `oscillation` over the mean absolute value; NaN where that is 0 or there are fewer than 3 values."""
    y = _finite(values)
    scale = float(np.abs(y).mean()) if len(y) else 0.0
    return oscillation(y) / scale if scale > 0 else math.nan


def coefficient_of_variation(values: ArrayLike) -> float:
    """Returns the standard deviation over the mean of a positive series, trend included; NaN for fewer than 2 values."""
    y = _finite(values)
    if len(y) < 2 or y.mean() <= 0:
        return math.nan
    return float(y.std(ddof=1) / y.mean())


def last(values: ArrayLike) -> float:
    """Returns the last finite value, or NaN where there is none."""
    y = _finite(values)
    return float(y[-1]) if len(y) else math.nan


def _finite(values: ArrayLike) -> NDArray[np.float64]:
    y = np.asarray(values, dtype=np.float64).ravel()
    return y[np.isfinite(y)]
