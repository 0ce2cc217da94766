"""Densities of statistics of images: fitted to training images, low where an image is unlike them."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm
from sklearn.covariance import LedoitWolf
from sklearn.mixture import GaussianMixture

from fashion_dgm.errors import FashionDGMError

__all__ = ["Calibrated", "JointDensity", "Mahalanobis", "ProductDensity"]

Array = NDArray[np.float64]
ROWS = 512


class _Standardised:
    """Brings each statistic to mean 0 and standard deviation 1 on the images that it is fitted to."""

    def __init__(self, statistics: Array) -> None:
        if len(statistics) < 2 or not np.isfinite(statistics).all():
            raise FashionDGMError("a density needs the finite statistics of at least two training images")
        self._mean = statistics.mean(0)
        # A statistic that never varies says nothing while it stays, and everything once it does not.
        self._sd = np.maximum(statistics.std(0), 1e-6 * np.maximum(np.abs(self._mean), 1.0))

    def _scaled(self, statistics: Array) -> Array:
        return (statistics - self._mean) / self._sd


class ProductDensity(_Standardised):
    """A kernel density of each statistic on its own, multiplied: the KDE of density of states estimation (DoSE).

    Gaussian kernels of Scott's bandwidth. Morningstar et al., 2021, "Density of states estimation for out-of-distribution
    detection", section 3.

    Arguments:
        statistics: of training images, `(N, S)`.
    """

    def __init__(self, statistics: Array) -> None:
        super().__init__(statistics)
        self._points = self._scaled(statistics)
        self._bandwidth = len(statistics) ** -0.2

    def log_density(self, statistics: Array) -> Array:
        """Returns the log-density `(N,)`, up to a constant, of statistics `(N, S)`."""
        scaled = self._scaled(statistics)
        return np.concatenate(
            [self._of(scaled[start : start + ROWS]) for start in range(0, len(scaled), ROWS)] or [np.empty(0)]
        )

    def _of(self, scaled: Array) -> Array:
        total = np.zeros(len(scaled))
        for values, points in zip(scaled.T, self._points.T, strict=True):
            # From far away only the nearest kernels count, and logsumexp keeps them from rounding to 0.
            total += logsumexp(-0.5 * ((values[:, None] - points) / self._bandwidth) ** 2, axis=1)
        return total


class JointDensity(_Standardised):
    """A mixture of normal distributions of all statistics together, which knows how they depend on one another.

    Arguments:
        statistics: of training images, `(N, S)`.
        components: of the mixture; fewer where there are few images.
        seed: of the mixture's start.
    """

    def __init__(self, statistics: Array, components: int, seed: int) -> None:
        super().__init__(statistics)
        components = max(1, min(components, len(statistics) // (10 * statistics.shape[1])))
        mixture = GaussianMixture(components, covariance_type="full", reg_covar=1e-3, random_state=seed)
        self._mixture = mixture.fit(self._scaled(statistics))

    def log_density(self, statistics: Array) -> Array:
        """Returns the log-density `(N,)` of statistics `(N, S)`."""
        return self._mixture.score_samples(self._scaled(statistics))

    def log_tail(self, statistics: Array) -> Array:
        """Returns the log-probability `(N,)` that the last statistic is larger still, given all others `(N, S)`.

        Given the others, each component is a normal distribution of the last statistic, with weights that are the
        components' responsibilities for the others (Bishop, 2006, "Pattern recognition and machine learning", 2.3.1).
        """
        scaled = self._scaled(statistics)
        others, last = scaled[:, :-1], scaled[:, -1]
        weights, tails = [], []
        for weight, mean, covariance in zip(
            self._mixture.weights_, self._mixture.means_, self._mixture.covariances_, strict=True
        ):
            among, between = covariance[:-1, :-1], covariance[:-1, -1]
            slope = np.linalg.solve(among, between)
            spread = np.sqrt(covariance[-1, -1] - between @ slope)
            weights.append(np.log(weight) + multivariate_normal(mean[:-1], among).logpdf(others).reshape(-1))
            tails.append(norm.logsf(last, mean[-1] + (others - mean[:-1]) @ slope, spread))
        responsibilities = np.array(weights) - logsumexp(weights, axis=0)
        return logsumexp(responsibilities + np.array(tails), axis=0)


class Calibrated:
    """Turns a score into minus the log of its p-value among training images, so that scores of different kinds compare.

    Beyond the largest training score it goes on linearly, a unit for each standard deviation, so that what is far from all
    training images is still distinguished from what is farther.

    Arguments:
        scores: of training images, `(N,)`, high where OOD.
    """

    def __init__(self, scores: NDArray[np.floating]) -> None:
        self._ordered = np.sort(scores)
        self._sd = max(float(scores.std()), 1e-12)

    def __call__(self, scores: NDArray[np.floating]) -> Array:
        """Returns `-log p` of scores `(N,)`."""
        n = len(self._ordered)
        at_least = n - np.searchsorted(self._ordered, scores, "left")
        return -np.log((1 + at_least) / (n + 1)) + np.maximum(scores - self._ordered[-1], 0.0) / self._sd


class Mahalanobis:
    """The squared distance from the mean in units of the covariance, shrunk as Ledoit and Wolf (2004) derive.

    Arguments:
        points: of training images, `(N, D)`.
    """

    def __init__(self, points: NDArray[np.floating]) -> None:
        if len(points) < 2 or not np.isfinite(points).all():
            raise FashionDGMError("a covariance needs the finite statistics of at least two training images")
        self._fitted = LedoitWolf().fit(points)

    def squared(self, points: NDArray[np.floating]) -> Array:
        """Returns squared distances `(N,)` of points `(N, D)`."""
        centred = points - self._fitted.location_
        return np.einsum("nd,nd->n", centred @ self._fitted.precision_, centred)
