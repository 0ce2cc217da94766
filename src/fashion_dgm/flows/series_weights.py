"""Where an infinite series stops, and what its terms then weigh: truncation, and Russian roulette.

`S = sum_k d_k` is estimated by `sum_{k <= n} c_k d_k`. Truncation fixes `n` and takes `c_k = 1`: its bias is the rest of
the series. Roulette draws `n` and divides each term by the probability that it is computed, which removes the bias and
pays for it in variance (docs/theory/log-det-estimation.md).
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch

from fashion_dgm.errors import FashionDGMError

__all__ = ["Distribution", "Geometric", "Poisson", "Roulette", "SeriesWeights", "Truncation"]

Weights = tuple[float, ...]


class SeriesWeights(Protocol):
    """How many terms of a series are computed, and their weights."""

    @property
    def expected_terms(self) -> float:
        """The mean number of terms, which is the mean number of vector-Jacobian products."""

    def draw(self, generator: torch.Generator | None = None) -> Weights:
        """Returns the weights `c_1, ..., c_n` of the terms to be computed."""


@dataclass(frozen=True)
class Truncation:
    """The first `terms` terms, each as it is: the biased estimate of Behrmann et al., 2019, algorithm 2.

    Arguments:
        terms: at least 1.

    Raises:
        FashionDGMError: if there is no term.
    """

    terms: int

    def __post_init__(self) -> None:
        if self.terms < 1:
            raise FashionDGMError(f"a truncated series needs at least 1 term, not {self.terms}")

    @property
    def expected_terms(self) -> float:
        """The number of terms."""
        return float(self.terms)

    def draw(self, generator: torch.Generator | None = None) -> Weights:
        """Returns weights of 1; the generator is not used."""
        return (1.0,) * self.terms


class Distribution(Protocol):
    """A distribution of the number `N` of terms that roulette computes."""

    @property
    def mean(self) -> float:
        """`E[N]`."""

    def at_least(self, k: int) -> float:
        """Returns `P(N >= k)`; positive for every k, or some term would never be computed."""

    def sample(self, generator: torch.Generator | None = None) -> int:
        """Draws `N`."""


@dataclass(frozen=True)
class Geometric:
    """`P(N >= k) = (1 - stop)^(k - 1)` for `k >= 1`: after each term the chance to stop is the same.

    A log-determinant's estimate has a finite variance if `1 - stop` exceeds the square of the Jacobian's spectral radius,
    and an infinite one if it is less, whatever the signs of the terms.

    Arguments:
        stop: probability in (0, 1).

    Raises:
        FashionDGMError: if `stop` is no such probability.
    """

    stop: float

    def __post_init__(self) -> None:
        if not 0 < self.stop < 1:
            raise FashionDGMError(
                f"the chance to stop of a geometric distribution lies between 0 and 1, not {self.stop}"
            )

    @property
    def mean(self) -> float:
        """`1 / stop`."""
        return 1 / self.stop

    def at_least(self, k: int) -> float:
        """Returns `P(N >= k)`."""
        return float((1 - self.stop) ** max(k - 1, 0))

    def sample(self, generator: torch.Generator | None = None) -> int:
        """Draws `N >= 1`, by the inverse of its distribution function."""
        device = None if generator is None else generator.device
        uniform = float(torch.rand((), dtype=torch.float64, device=device, generator=generator))
        # 1 - U lies in (0, 1], so that its logarithm is finite.
        return 1 + math.floor(math.log1p(-uniform) / math.log1p(-self.stop))


@dataclass(frozen=True)
class Poisson:
    """The Poisson distribution, `P(N >= 0) = 1`.

    Its tail falls faster than any geometric series. If terms shrink geometrically, as those of a log-determinant do,
    the estimate is unbiased, but its variance is infinite whatever their signs: `d_k^2 / P(N >= k)` grows without end.

    Arguments:
        rate: mean of the distribution, positive.

    Raises:
        FashionDGMError: if the rate is not positive and finite.
    """

    rate: float

    def __post_init__(self) -> None:
        if not (self.rate > 0 and math.isfinite(self.rate)):
            raise FashionDGMError(f"the rate of a Poisson distribution is positive and finite, not {self.rate}")

    @property
    def mean(self) -> float:
        """`rate`."""
        return self.rate

    def at_least(self, k: int) -> float:
        """Returns `P(N >= k)`, accurate far into the tail."""
        # Late, for it takes a tenth of the time in which a process of a distributed run starts.
        from scipy.special import gammainc

        return float(gammainc(k, self.rate)) if k > 0 else 1.0

    def sample(self, generator: torch.Generator | None = None) -> int:
        """Draws `N >= 0`."""
        device = generator.device if generator is not None else None
        return int(torch.poisson(torch.tensor(self.rate, dtype=torch.float64, device=device), generator))


@dataclass(frozen=True)
class Roulette:
    """Russian roulette: the first `exact_terms` always, `N` more by chance, each of these divided by `P(N >= k)`.

    Unbiased wherever the series converges absolutely. Chen et al., 2019, "Residual flows for invertible generative
    modeling", equation 6, and section 3.1 on the terms that are always computed.

    Arguments:
        exact_terms: at least 0.
        distribution: of `N`.

    Raises:
        FashionDGMError: if `exact_terms` is negative.
    """

    exact_terms: int
    distribution: Distribution

    def __post_init__(self) -> None:
        if self.exact_terms < 0:
            raise FashionDGMError(f"roulette computes at least 0 terms always, not {self.exact_terms}")

    @property
    def expected_terms(self) -> float:
        """`exact_terms + E[N]`."""
        return self.exact_terms + self.distribution.mean

    def at_least(self, k: int) -> float:
        """Returns the probability that term `k >= 1` is computed."""
        return 1.0 if k <= self.exact_terms else self.distribution.at_least(k - self.exact_terms)

    def draw(self, generator: torch.Generator | None = None) -> Weights:
        """Draws `N` and returns the weights `1 / P(term k is computed)` of the terms to be computed, maybe none."""
        terms = self.exact_terms + self.distribution.sample(generator)
        return tuple(1 / self.at_least(k) for k in range(1, terms + 1))
