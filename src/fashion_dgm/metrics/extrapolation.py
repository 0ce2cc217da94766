"""The Fréchet distance that infinitely many samples would have.

The distance of N samples is too large by an amount that, to first order, falls as 1/N and differs between generators.
A line fitted to distances of several N over 1/N meets the axis, where N is infinite, at an estimate without that bias. The
real side keeps its N, so its own bias stays.

References:
    Chong and Forsyth, Effectively unbiased FID and Inception Score and where to find them (2020), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.frechet import Gaussian, frechet_distance

__all__ = ["Extrapolation", "extrapolated_distance", "sample_sizes"]


@dataclass(frozen=True)
class Extrapolation:
    """A line through distances over 1/N.

    Arguments:
        distance: where the line meets 1/N = 0.
        standard_error: of that point, from the scatter about the line.
        slope: the bias at N samples is about `slope / N`.
    """

    distance: float
    standard_error: float
    slope: float


def extrapolated_distance(real: Gaussian, fake: NDArray[np.floating], sizes: int, seed: int) -> Extrapolation:
    """Fits the line to distances of random subsets of the features `(N, D)`.

    Arguments:
        sizes: the number of subsets, each of another size, evenly spaced up to N.

    Raises:
        FashionDGMError: if there are too few features for so many sizes.
    """
    rng = np.random.default_rng(seed)
    numbers = sample_sizes(len(fake), fake.shape[1], sizes)
    distances = [
        frechet_distance(real, Gaussian.fit(fake[rng.choice(len(fake), size=n, replace=False)])) for n in numbers
    ]
    (slope, distance), covariance = np.polyfit(1.0 / np.array(numbers), distances, 1, cov=True)
    return Extrapolation(float(distance), float(np.sqrt(covariance[1, 1])), float(slope))


def sample_sizes(available: int, dimension: int, sizes: int) -> list[int]:
    """Returns the sizes: from a tenth of what is there, or twice the dimension if more, but at most half of what is there.

    Below the dimension covariances are singular, and the bias is no longer a line.

    Raises:
        FashionDGMError: if these are not `sizes` different numbers.
    """
    smallest = max(2, available // 10, min(2 * dimension, available // 2))
    numbers = np.unique(np.linspace(smallest, available, sizes).astype(int))
    if sizes < 3 or len(numbers) < sizes:
        raise FashionDGMError(f"{available} samples are too few for {sizes} different sample sizes")
    return [int(n) for n in numbers]
