r"""Kernel distance (KID): the squared maximum mean discrepancy between two sets of features, without bias.

`MMD^2 = E k(x, x') + E k(y, y') - 2 E k(x, y)` with `k(a, b) = (a^T b / D + 1)^3`. The U-statistic leaves out the pairs of
a feature with itself, and so its expectation does not depend on the number of images: it is 0 for two sets of one
distribution, and an estimate may be negative.

References:
    Binkowski et al., Demystifying MMD GANs (2018), eq. 4 and section 4: kernel and estimator over subsets.
    Gretton et al., A kernel two-sample test (2012), lemma 6: the unbiased estimator.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.checks import check_features

__all__ = ["KernelDistance", "kernel_distance", "squared_mmd"]


@dataclass(frozen=True)
class KernelDistance:
    """Mean and standard deviation of the squared MMD over subsets of `subset_size` features a side."""

    mean: float
    deviation: float
    subset_size: int


def kernel_distance(
    real: NDArray[np.floating], fake: NDArray[np.floating], subsets: int, subset_size: int, seed: int
) -> KernelDistance:
    """Returns the mean of `subsets` unbiased estimates, each from features drawn without replacement on both sides.

    Arguments:
        real: features `(N, D)`.
        fake: features `(M, D)`.
        subset_size: features a side; half of the smaller set where that is less, so that subsets differ.

    Raises:
        FashionDGMError: if the sets don't match, or have fewer than four features.
    """
    check_features(real, fake)
    size = min(subset_size, len(real) // 2, len(fake) // 2)
    if size < 2:
        raise FashionDGMError(
            f"a kernel distance needs at least 4 images on each side, not {len(real)} and {len(fake)}"
        )
    rng = np.random.default_rng(seed)
    estimates = [
        squared_mmd(real[rng.choice(len(real), size, replace=False)], fake[rng.choice(len(fake), size, replace=False)])
        for _ in range(subsets)
    ]
    return KernelDistance(float(np.mean(estimates)), float(np.std(estimates)), size)


def squared_mmd(real: NDArray[np.floating], fake: NDArray[np.floating]) -> float:
    """Returns the unbiased estimate of the squared MMD between features `(N, D)` and `(M, D)`, in float64."""
    first, second = real.astype(np.float64), fake.astype(np.float64)
    cross = _kernel(first, second).mean()
    return float(_mean_of_pairs(first) + _mean_of_pairs(second) - 2.0 * cross)


def _mean_of_pairs(features: NDArray[np.float64]) -> float:
    kernel, count = _kernel(features, features), len(features)
    return float((kernel.sum() - kernel.trace()) / (count * (count - 1)))


def _kernel(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    inner = first @ second.T
    inner /= first.shape[1]
    inner += 1.0
    cubed: NDArray[np.float64] = inner * inner * inner
    return cubed
