import numpy as np
import pytest
from pytorch_fid.fid_score import calculate_frechet_distance

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.frechet import Gaussian, frechet_distance


def features(n: int, d: int, seed: int, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + shift


def test_equals_pytorch_fid() -> None:
    first, second = Gaussian.fit(features(400, 32, 0)), Gaussian.fit(features(400, 32, 1, shift=0.5))
    expected = calculate_frechet_distance(first.mean, first.covariance, second.mean, second.covariance)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(("n", "m"), [(5, 5), (5, 200), (200, 5), (2, 2), (200, 23)])
def test_fewer_samples_than_features_are_exact(n: int, m: int) -> None:
    # The singular values of the product of triangular factors square nothing, so they lose no digits near zero.
    sets = features(n, 24, 0), features(m, 24, 1)
    first, second = (Gaussian.fit(one) for one in sets)
    roots = [np.linalg.qr(one - one.mean(axis=0), mode="r") / np.sqrt(len(one) - 1) for one in sets]
    expected = ((first.mean - second.mean) ** 2).sum() + sum(np.square(root).sum() for root in roots)
    expected -= 2 * np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-11)
    assert frechet_distance(second, first) == pytest.approx(expected, rel=1e-11)


def test_collapsed_generator_is_finite_and_right() -> None:
    # All samples equal: covariance 0, so the distance is |m_1 - m_2|^2 + Tr C_1.
    real = Gaussian.fit(features(100, 8, 0))
    collapsed = Gaussian.fit(np.ones((100, 8)))
    expected = ((real.mean - 1) ** 2).sum() + np.trace(real.covariance)
    assert frechet_distance(real, collapsed) == pytest.approx(expected, rel=1e-6)


def test_float32_features_are_accumulated_in_float64() -> None:
    large = features(100, 4, 0) + 1e4
    gaussian = Gaussian.fit(large.astype(np.float32))
    assert gaussian.covariance.dtype == np.float64
    np.testing.assert_allclose(gaussian.covariance, np.cov(large, rowvar=False), rtol=1e-2)


@pytest.mark.parametrize("bad", [np.zeros((1, 3)), np.zeros(3), np.full((4, 2), np.nan)])
def test_unusable_features_are_an_error(bad: np.ndarray) -> None:
    with pytest.raises(FashionDGMError):
        Gaussian.fit(bad)


def test_different_dimensions_are_an_error() -> None:
    with pytest.raises(FashionDGMError, match="dimension 3 and 4"):
        frechet_distance(Gaussian.fit(features(9, 3, 0)), Gaussian.fit(features(9, 4, 0)))
