import numpy as np
import pytest
from scipy.stats import gaussian_kde, multivariate_normal, norm

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.ood.densities import Calibrated, JointDensity, Mahalanobis, ProductDensity

RNG = np.random.default_rng(0)
CORRELATED = RNG.multivariate_normal([1.0, -2.0], [[1.0, 0.8], [0.8, 1.0]], 4000)


def test_product_density_is_that_of_scipy_up_to_a_constant() -> None:
    train, query = CORRELATED[:300], CORRELATED[300:340]
    expected = sum(gaussian_kde(train[:, i]).logpdf(query[:, i]) for i in range(2))
    found = ProductDensity(train).log_density(query)
    # scipy takes the unbiased standard deviation: 0.2% more.
    np.testing.assert_allclose(found - found[0], expected - expected[0], atol=0.05)
    # Far away it still ranks.
    far = ProductDensity(CORRELATED[:100, :1]).log_density(np.array([[1e2], [1e4], [1e6]]))
    assert np.isfinite(far).all() and (np.diff(far) < 0).all()


def test_only_a_joint_density_sees_a_broken_relation_and_both_are_those_of_the_normal_distribution() -> None:
    usual, broken = np.array([[2.0, -1.0]]), np.array([[2.0, -3.0]])  # each value is as usual alone
    joint, product = JointDensity(CORRELATED, 1, 0), ProductDensity(CORRELATED)
    # Of a correlation of 0.8: (3.6 - 0.4) / (2 * 0.36) = 4.44 nats.
    assert (joint.log_density(usual) - joint.log_density(broken))[0] == pytest.approx(4.44, rel=0.1)
    assert abs(product.log_density(usual) - product.log_density(broken)) < 0.5
    exact = multivariate_normal([1.0, -2.0], [[1.0, 0.8], [0.8, 1.0]]).logpdf(CORRELATED[:50])
    assert np.corrcoef(joint.log_density(CORRELATED[:50]), exact)[0, 1] > 0.999
    # The Mahalanobis distance, of the same normal distribution: -2 log p but for a constant, log 0.36 + 2 log 2 pi.
    squared = Mahalanobis(CORRELATED).squared(CORRELATED[:50])
    np.testing.assert_allclose(squared, -2 * exact - np.log(0.36) - 2 * np.log(2 * np.pi), rtol=0.15, atol=0.05)


@pytest.mark.parametrize("components", [1, 3])
def test_tail_given_the_others_is_that_of_the_conditional_normal(components: int) -> None:
    points = np.array([[1.0, -2.0], [2.0, 0.0], [0.0, -1.0], [0.5, -4.0]])
    found = JointDensity(CORRELATED, components, 0).log_tail(points)
    exact = norm.logsf(points[:, 1], -2.0 + 0.8 * (points[:, 0] - 1.0), 0.6)
    np.testing.assert_allclose(found, exact, atol=0.25, rtol=0.15)


def test_calibrated_scores_are_p_values_inside_and_rise_beyond() -> None:
    calibrated = Calibrated(np.arange(99.0))
    np.testing.assert_allclose(np.exp(-calibrated(np.array([0.0, 49.0, 98.0]))), [1.0, 0.51, 0.02])
    far = calibrated(np.array([98.0, 99.0, 150.0, 1000.0]))
    assert (np.diff(far) > 0).all()


@pytest.mark.parametrize("density", [ProductDensity, Mahalanobis, lambda points: JointDensity(points, 1, 0)])
def test_statistics_that_are_not_finite_are_refused(density: object) -> None:
    with pytest.raises(FashionDGMError, match="finite statistics"):
        density(np.array([[1.0], [np.nan]]))
