r"""Fréchet distance between Gaussians fitted to features.

`d^2 = |m_1 - m_2|^2 + Tr(C_1 + C_2 - 2 (C_1 C_2)^{1/2})`. With `C_1 = L L^T`, the eigenvalues of `C_1 C_2` are those of the
symmetric `L^T C_2 L`, so the trace of the root is a sum of roots of real, non-negative numbers: no matrix square root and
no imaginary parts. Where a covariance is singular (fewer samples than features, a collapsed generator), `L` has as many
columns as its rank.

References:
    Dowson and Landau, The Fréchet distance between multivariate normal distributions (1982), eq. 4.
    Heusel et al., GANs trained by a two time-scale update rule (2017), eq. 6.
"""

# Derived in docs/theory/frechet.md.

from __future__ import annotations

import contextlib
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
    # Of the smaller rank, so that no eigenvalue of the product is rounding alone, whose root would be 1e-8.
    factor, other = min(
        (_factor(first.covariance), second.covariance),
        (_factor(second.covariance), first.covariance),
        key=lambda pair: pair[0].shape[1],
    )
    eigenvalues = np.linalg.eigvalsh(factor.T @ other @ factor)
    trace_of_root = np.sqrt(np.clip(eigenvalues, 0.0, None)).sum()
    shift = first.mean - second.mean
    distance = shift @ shift + np.trace(first.covariance) + np.trace(second.covariance) - 2.0 * trace_of_root
    return max(float(distance), 0.0)


def _factor(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns `L` `(D, rank)` with `L L^T = covariance`, by Cholesky or, where the matrix is singular, by eigenvalues."""
    rounding = len(covariance) * np.finfo(np.float64).eps
    with contextlib.suppress(np.linalg.LinAlgError):
        factor = np.linalg.cholesky(covariance)
        # Rounding may leave a pivot of a singular matrix positive.
        if (np.diag(factor) ** 2).min() > rounding * np.trace(covariance):
            return np.asarray(factor, dtype=np.float64)
    values, vectors = np.linalg.eigh(covariance)
    kept = values > rounding * values[-1]
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]), dtype=np.float64)
