r"""Fréchet distance between Gaussians fitted to features.

`d^2 = |m_1 - m_2|^2 + Tr(C_1 + C_2 - 2 (C_1 C_2)^{1/2})`. With `C_1 = K K^T` and `C_2 = L L^T`, the eigenvalues of `C_1 C_2`
that are not 0 are those of `M M^T`, `M = K^T L`, so the trace of the root is a sum of roots of real, non-negative numbers,
without a matrix square root or imaginary parts. Where a covariance is singular (fewer samples than features, a collapsed
generator), its factor has as many columns as its rank.

References:
    Dowson and Landau, The Fréchet distance between multivariate normal distributions (1982), eq. 4.
    Heusel et al., GANs trained by a two time-scale update rule (2017), eq. 6.
"""

# Derived in docs/theory/frechet.md.

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.checks import check_features

__all__ = ["Gaussian", "frechet_distance"]


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Mean `(D,)` and covariance `(D, D)`, float64, of `count` feature vectors."""

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    count: int

    @classmethod
    def fit(cls, features: NDArray[np.floating]) -> Gaussian:
        """Fits features `(N, D)` by sample mean and unbiased covariance.

        Raises:
            FashionDGMError: if there are fewer than two vectors, or one is not finite.
        """
        check_features(features)
        precise = features.astype(np.float64)
        return cls(precise.mean(axis=0), np.cov(precise, rowvar=False).reshape(2 * precise.shape[1:]), len(precise))


def frechet_distance(first: Gaussian, second: Gaussian) -> float:
    """Returns the squared Fréchet distance (what the literature calls FID), in float64, never negative.

    Raises:
        FashionDGMError: if the two are of different dimension.
    """
    if first.mean.shape != second.mean.shape:
        raise FashionDGMError(f"features of dimension {first.mean.size} and {second.mean.size} cannot be compared")
    mixed = _factor(first.covariance).T @ _factor(second.covariance)
    # Of the smaller rank, so that no eigenvalue is rounding alone, whose root would be 1e-8.
    wide = mixed if mixed.shape[0] <= mixed.shape[1] else mixed.T
    eigenvalues = np.linalg.eigvalsh(wide @ wide.T)
    trace_of_root = np.sqrt(np.clip(eigenvalues, 0.0, None)).sum()
    shift = first.mean - second.mean
    distance = shift @ shift + np.trace(first.covariance) + np.trace(second.covariance) - 2.0 * trace_of_root
    return max(float(distance), 0.0)


def _factor(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns `L` `(D, rank)` with `L L^T = covariance`, by Cholesky decomposition with pivoting, which ends at the rank.

    References:
        Hammarling, Higham and Lucas, LAPACK-style codes for pivoted Cholesky and QR updating (2007), alg. 5.1.
    """
    from scipy.linalg.lapack import dpstrf  # late, since only a distance needs SciPy

    # Of a symmetric matrix the transpose is the same in LAPACK's order of columns, without a copy.
    lower, pivots, rank, _ = dpstrf(covariance.T, lower=1)
    factor = np.empty((len(covariance), rank))
    factor[pivots - 1] = np.tril(lower)[:, :rank]
    return factor
