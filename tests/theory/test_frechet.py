"""The claims of docs/theory/frechet.md, about the project's own distance."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from fashion_dgm.metrics.frechet import Gaussian, frechet_distance

Array = NDArray[np.float64]


def a_gaussian(size: int, seed: int) -> Gaussian:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size, size))
    return Gaussian(rng.normal(size=size), root @ root.T + 0.1 * np.eye(size), 100)


def root_of(matrix: Array) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(values)) @ vectors.T


def cost(first: Gaussian, second: Gaussian, cross: Array) -> float:
    shift = first.mean - second.mean
    return float(shift @ shift + np.trace(first.covariance) + np.trace(second.covariance) - 2 * np.trace(cross))


@pytest.mark.parametrize("seed", range(5))
def test_no_transport_is_cheaper_than_the_bound_which_a_linear_map_reaches(seed: int) -> None:
    """docs/theory/frechet.md#only-the-cross-covariance-is-free and docs/theory/frechet.md#the-lower-bound

    And docs/theory/frechet.md#normal-distributions-attain-the-bound
    """
    first, second = a_gaussian(5, seed), a_gaussian(5, seed + 100)
    roots = root_of(first.covariance), root_of(second.covariance)
    distance = frechet_distance(first, second)
    rng = np.random.default_rng(seed)
    for norm in (0.0, 0.5, 1.0, 1.0, 1.0):
        contraction = rng.normal(size=(5, 5))
        contraction *= norm / np.linalg.norm(contraction, 2)
        cross = roots[0] @ contraction @ roots[1]
        joint = np.block([[first.covariance, cross], [cross.T, second.covariance]])
        assert np.linalg.eigvalsh(joint).min() > -1e-9
        assert cost(first, second, cross) >= distance
    # More than a contraction is no covariance; the contraction V U^T reaches the bound.
    left, _, right = np.linalg.svd(roots[1] @ roots[0])
    best = roots[0] @ right.T @ left.T @ roots[1]
    assert cost(first, second, best) == pytest.approx(distance, rel=1e-9)
    too_much = np.block([[first.covariance, 1.01 * best], [1.01 * best.T, second.covariance]])
    assert np.linalg.eigvalsh(too_much).min() < -1e-6
    # A linear map of normal distributions reaches it, too.
    inner, inverse = root_of(roots[0] @ second.covariance @ roots[0]), np.linalg.inv(roots[0])
    linear = inverse @ inner @ inverse
    np.testing.assert_allclose(linear @ first.covariance @ linear, second.covariance, atol=1e-8)
    assert cost(first, second, first.covariance @ linear) == pytest.approx(distance, rel=1e-9)
    # The same number from the eigenvalues of the product, which is not symmetric.
    product = np.linalg.eigvals(first.covariance @ second.covariance)
    assert np.sqrt(product.real).sum() == pytest.approx(np.trace(inner), rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_bound_holds_for_distributions_that_are_not_normal(seed: int) -> None:
    """docs/theory/frechet.md#the-lower-bound"""
    rng = np.random.default_rng(seed)
    first = rng.exponential(size=(80, 3)) @ rng.normal(size=(3, 3))
    second = rng.choice([-1.0, 1.0], size=(80, 3)) + 0.1 * rng.uniform(size=(80, 3))
    squares = ((first[:, None] - second) ** 2).sum(axis=-1)
    transport = squares[linear_sum_assignment(squares)].mean()
    fits = [Gaussian(part.mean(axis=0), np.cov(part, rowvar=False, bias=True), 80) for part in (first, second)]
    assert frechet_distance(*fits) < transport
    # Equal mean and covariance, another distribution: distance 0 and yet not the same.
    pair = np.array([[-1.0], [1.0]])
    other = np.array([[-math.sqrt(2)], [0.0], [0.0], [math.sqrt(2)]])
    fits = [Gaussian(part.mean(axis=0), np.atleast_2d(np.var(part)), 2) for part in (pair, other)]
    assert frechet_distance(*fits) == pytest.approx(0, abs=1e-12)


def test_estimate_is_biased_upwards() -> None:
    """docs/theory/frechet.md#the-estimate-is-biased-upwards

    False alarm: below 1 in a million (4.9 standard errors, and the bias is larger than the bound tested).
    """
    rng = np.random.default_rng(0)
    size, count = 4, 20
    mixing = rng.normal(size=(size, size))
    truth = Gaussian(mixing.sum(axis=0), mixing.T @ mixing, 1)  # of independent exponentials, mixed: far from normal
    other = a_gaussian(size, 1)
    estimates = np.array(
        [frechet_distance(Gaussian.fit(rng.exponential(size=(count, size)) @ mixing), other) for _ in range(4000)]
    )
    error = estimates.std() / math.sqrt(len(estimates))
    bound = frechet_distance(truth, other) + np.trace(truth.covariance) / count
    assert estimates.mean() > bound - 4.9 * error
    assert estimates.mean() - frechet_distance(truth, other) > 4.9 * error


def test_second_order_expansion_of_the_distance() -> None:
    """docs/theory/frechet.md#the-bias-falls-as-one-over-n"""
    values = np.array([0.5, 1.0, 1.0, 3.0])
    error = np.random.default_rng(0).normal(size=(4, 4))
    error += error.T
    nothing = np.zeros(4)

    def relative(scale: float) -> float:
        exact = frechet_distance(
            Gaussian(nothing, np.diag(values) + scale * error, 9), Gaussian(nothing, np.diag(values), 9)
        )
        expansion = 0.5 * ((scale * error) ** 2 / np.add.outer(values, values)).sum()
        return abs(exact / expansion - 1)

    assert relative(1e-3) < 0.01
    assert relative(2e-3) / relative(1e-3) == pytest.approx(2, rel=0.05)  # what is left is of third order


@pytest.mark.parametrize("both", [False, True], ids=["one side estimated", "both sides estimated"])
def test_leading_bias_of_a_perfect_generator(both: bool) -> None:
    """docs/theory/frechet.md#the-bias-falls-as-one-over-n

    False alarm: 1 in a million for each N (4.9 standard errors, and 2 D / N for the terms left out).
    """
    values = np.array([0.2, 0.5, 1.0, 1.0, 2.0, 4.0])
    truth = Gaussian(np.zeros(6), np.diag(values), 1)
    rng = np.random.default_rng(0)
    pairs = np.multiply.outer(values, values) / np.add.outer(values, values)
    leading = (1 + both) * (1.25 * values.sum() + 0.5 * pairs.sum())
    means = {}
    for count in (150, 300):
        draws = np.array(
            [
                frechet_distance(
                    Gaussian.fit(rng.normal(size=(count, 6)) * np.sqrt(values)),
                    Gaussian.fit(rng.normal(size=(count, 6)) * np.sqrt(values)) if both else truth,
                )
                for _ in range(1500)
            ]
        )
        means[count] = draws.mean()
        error = draws.std() / math.sqrt(len(draws))
        assert abs(draws.mean() - leading / count) < 4.9 * error + 2 * 6 / count * leading / count
    assert means[150] / means[300] == pytest.approx(2, rel=0.15)


def test_bias_of_the_real_side_depends_on_the_generator() -> None:
    """docs/theory/frechet.md#the-estimate-is-biased-upwards

    Of C = I, known generators with covariance c I and N real features: `D / N` of the mean, and `sqrt(c)` times
    `D (D + 1) / (4 (N - 1))` of the root. False alarm: 1 in 2,000 (3.5 standard errors), and 5% for higher orders.
    """
    size, count, runs = 8, 200, 2000
    rng = np.random.default_rng(0)
    real = [Gaussian.fit(rng.normal(size=(count, size))) for _ in range(runs)]
    for scale in (0.25, 1.0, 9.0):
        generator = Gaussian(np.zeros(size), scale * np.eye(size), 1)
        excess = np.array([frechet_distance(one, generator) for one in real]) - size * (math.sqrt(scale) - 1) ** 2
        expected = size / count + math.sqrt(scale) * size * (size + 1) / (4 * (count - 1))
        assert abs(excess.mean() - expected) < 0.05 * expected + 3.5 * excess.std() / math.sqrt(runs)
