"""What theory says of each estimator, exactly, where the Jacobian is known.

With `d_k = (-1)^(k+1) / k v^T A^k v`, all means and covariances of the `d_k` over probes `v` are known (Hutchinson's
variance, docs/theory/log-det-estimation.md), and bias and variance of truncation and roulette follow.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashion_dgm.flows.log_det import ProbeKind
from fashion_dgm.flows.series_weights import Geometric, Roulette

__all__ = ["TermMoments", "diagonal_fraction", "term_moments", "truncation_bound"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TermMoments:
    """Means and covariances of the first K terms at one probe.

    Arguments:
        exact: the log-determinant.
        means: `E[d_k]`, `(K,)`.
        covariances: by kind of probe, `(K, K)`.
        diagonal_fraction: the part of `|S|_F^2` that lies on the diagonal, S the symmetric part of `log(I + A)`.
        norm: spectral norm of the Jacobian.
        radius: largest absolute value of its eigenvalues.
    """

    exact: float
    means: Array
    covariances: dict[ProbeKind, Array]
    diagonal_fraction: float
    norm: float
    radius: float

    def truncation_bias(self, terms: int) -> float:
        """Returns what the first `terms` terms lack."""
        return float(self.means[:terms].sum() - self.exact)

    def truncation_variance(self, terms: int, kind: ProbeKind) -> float:
        """Returns the variance over probes of the sum of the first `terms` terms."""
        return float(self.covariances[kind][:terms, :terms].sum())

    def roulette_variance(self, roulette: Roulette, kind: ProbeKind) -> float:
        """Returns the variance over probes and numbers of terms, infinite where it is."""
        if not self.is_finite(roulette):
            return math.inf
        return self.capped_variances(roulette, kind)[-1]

    def is_finite(self, roulette: Roulette) -> bool:
        """Returns whether the roulette's variance is finite: the chance to go on must exceed the square of the radius.

        At equality it says no, though a diagonalisable Jacobian would leave the variance finite.
        """
        return isinstance(roulette.distribution, Geometric) and self.radius**2 < 1 - roulette.distribution.stop

    def capped_variances(self, roulette: Roulette, kind: ProbeKind) -> list[float]:
        """Returns the variance if no more than `k` terms were ever computed, for `k = 1, ..., K`.

        It stops short of K where a term is computed with a probability below 1e-250.
        """
        chance = np.array([roulette.at_least(k) for k in range(1, len(self.means) + 1)])
        last = int((chance > 1e-250).sum())
        means, chance = self.means[:last], chance[:last]
        products = np.outer(means, means) + self.covariances[kind][:last, :last]
        # E[R^2] = sum_kl E[d_k d_l] / q_min(k, l), and q falls with k.
        weighted = products * np.minimum.outer(1 / chance, 1 / chance)
        second = np.cumsum(np.cumsum(weighted, axis=0), axis=1).diagonal()
        return [float(value) for value in second - np.cumsum(means) ** 2]


def term_moments(jacobian: Tensor, terms: int) -> TermMoments:
    """Computes the moments of `terms` terms for a Jacobian `(D, D)`, in float64."""
    matrix = jacobian.double()
    size = len(matrix)
    power = torch.eye(size, dtype=torch.float64)
    symmetric = torch.empty(terms, size, size, dtype=torch.float64)
    for k in range(1, terms + 1):
        power = power @ matrix
        symmetric[k - 1] = (power + power.T) * ((-1) ** (k + 1) / (2 * k))
    diagonals = symmetric.diagonal(dim1=1, dim2=2)
    flat = symmetric.flatten(1)
    gaussian, diagonal = 2 * flat @ flat.T, 2 * diagonals @ diagonals.T
    return TermMoments(
        exact=float(torch.linalg.slogdet(torch.eye(size, dtype=torch.float64) + matrix).logabsdet),
        means=diagonals.sum(1).numpy(),
        covariances={"gaussian": gaussian.numpy(), "rademacher": (gaussian - diagonal).numpy()},
        diagonal_fraction=diagonal_fraction(symmetric.sum(0)),
        norm=float(torch.linalg.matrix_norm(matrix, 2)),
        radius=float(torch.linalg.eigvals(matrix).abs().max()),
    )


def diagonal_fraction(symmetric: Tensor) -> float:
    """Returns `sum_i s_ii^2 / |S|_F^2`: what Rademacher probes save, as a fraction of the variance of Gaussian ones."""
    return float(symmetric.diagonal().square().sum() / symmetric.square().sum())


def truncation_bound(dimension: int, lipschitz: float, terms: int) -> float:
    """Returns the most that a series cut off after `terms` terms may lack, `D L^(n+1) / ((n+1) (1-L))`."""
    return dimension * lipschitz ** (terms + 1) / ((terms + 1) * (1 - lipschitz))
