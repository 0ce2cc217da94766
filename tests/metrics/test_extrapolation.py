import numpy as np
import pytest

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.extrapolation import extrapolated_distance, sample_sizes
from fashion_dgm.metrics.frechet import Gaussian, frechet_distance


def normal(n: int, seed: int, d: int = 10) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)) * 2.0 + 0.5


def test_recovers_the_distance_of_analytic_gaussians() -> None:
    # N(0, I) against N(0.5, 4 I) in 10 dimensions: 10 * 0.25 + 10 * (1 - 2)^2.
    real = Gaussian(np.zeros(10), np.eye(10), 10**9)
    fits = [extrapolated_distance(real, normal(2000, seed), 15, seed=0) for seed in range(20)]
    plain = [frechet_distance(real, Gaussian.fit(normal(100, seed))) for seed in range(200)]
    found = np.array([fit.distance for fit in fits])
    # Within 4 standard errors of the truth, a false alarm once in 16,000 draws; at N = 100 the bias is many of its own.
    assert abs(found.mean() - 12.5) < 4 * found.std() / np.sqrt(20)
    assert np.mean(plain) - 12.5 > 4 * np.std(plain) / np.sqrt(200)


def test_takes_the_bias_away_where_nothing_else_differs() -> None:
    real = Gaussian(np.full(10, 0.5), 4.0 * np.eye(10), 10**9)
    fake = normal(2000, 3)
    fit = extrapolated_distance(real, fake, 15, seed=0)
    assert abs(fit.distance) < 0.25 * frechet_distance(real, Gaussian.fit(fake))
    assert fit.slope > 0 and fit.standard_error > 0
    assert fit == extrapolated_distance(real, fake, 15, seed=0)


def test_sizes_are_spread_evenly_and_above_the_dimension() -> None:
    assert sample_sizes(5000, 128, 3) == [500, 2750, 5000]
    assert sample_sizes(10_000, 2048, 15)[0] == 4096
    assert sample_sizes(1000, 2048, 15)[0] == 500


def test_too_few_samples_are_an_error() -> None:
    with pytest.raises(FashionDGMError, match="10 samples are too few for 15"):
        sample_sizes(10, 4, 15)
