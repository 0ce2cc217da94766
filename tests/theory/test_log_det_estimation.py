"""The claims of docs/theory/log-det-estimation.md, with estimators written out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

Array = NDArray[np.float64]


def contraction(size: int, norm: float, seed: int = 0) -> Array:
    """A matrix without symmetry whose largest singular value is `norm`."""
    matrix = np.random.default_rng(seed).normal(size=(size, size))
    return matrix * norm / np.linalg.norm(matrix, 2)


def trace_terms(matrix: Array, count: int) -> Array:
    """The first terms of the series: `(-1)^(k+1) tr(A^k) / k`."""
    powers = itertools.accumulate(itertools.repeat(matrix, count), np.matmul)
    return np.array([(-1) ** (k + 1) / k * np.trace(power) for k, power in enumerate(powers, start=1)])


def test_fixed_point_converges_within_its_bound() -> None:
    """docs/theory/log-det-estimation.md#such-a-layer-is-invertible"""
    kappa, weight = 0.8, contraction(10, 0.8)
    x = np.random.default_rng(1).normal(size=10)
    y = x + np.tanh(weight @ x)
    guess = y
    first_step = np.linalg.norm(-np.tanh(weight @ y))
    for n in range(1, 60):
        guess = y - np.tanh(weight @ guess)
        assert np.linalg.norm(guess - x) <= kappa**n / (1 - kappa) * first_step + 1e-12
    np.testing.assert_allclose(guess, x, atol=1e-4)


@pytest.mark.parametrize("kappa", [0.3, 0.7, 0.95])
def test_trace_series_converges_within_its_bound(kappa: float) -> None:
    """docs/theory/log-det-estimation.md#the-log-determinant-is-a-series-of-traces"""
    size, matrix = 8, contraction(8, kappa)
    assert np.abs(np.linalg.eigvals(matrix).imag).max() > 0.01  # pairs of complex eigenvalues are among them
    sign, exact = np.linalg.slogdet(np.eye(size) + matrix)
    assert sign == 1
    errors = np.abs(np.cumsum(trace_terms(matrix, 200)) - exact)
    n = np.arange(1, 201)
    assert (errors <= size * kappa ** (n + 1) / ((n + 1) * (1 - kappa)) + 1e-12).all()
    assert errors[-1] < 1e-4


# Nodes and weights that integrate the entries' distribution exactly up to degree 7: no randomness is left.
HERMITE, LEGENDRE = np.polynomial.hermite_e.hermegauss(4), np.polynomial.legendre.leggauss(4)
ENTRIES = {
    "Rademacher": (np.array([-1.0, 1.0]), np.array([0.5, 0.5]), 1.0),
    "normal": (HERMITE[0], HERMITE[1] / HERMITE[1].sum(), 3.0),
    "uniform": (LEGENDRE[0] * math.sqrt(3), LEGENDRE[1] / 2, 9 / 5),
}


def probes(name: str, size: int) -> tuple[Array, Array]:
    """All vectors of nodes `(n, size)` with their probabilities `(n,)`."""
    nodes, weights, _ = ENTRIES[name]
    vectors = np.array(list(itertools.product(nodes, repeat=size)))
    return vectors, np.array([math.prod(part) for part in itertools.product(weights, repeat=size)])


@pytest.mark.parametrize("entries", ENTRIES)
@pytest.mark.parametrize("power", [1, 2, 3])
def test_hutchinson_mean_is_the_trace(entries: str, power: int) -> None:
    """docs/theory/log-det-estimation.md#hutchinsons-estimator"""
    matrix = np.linalg.matrix_power(contraction(4, 0.9), power)
    vectors, probability = probes(entries, 4)
    values = np.einsum("ni,ij,nj->n", vectors, matrix, vectors)
    assert probability @ values == pytest.approx(np.trace(matrix), abs=1e-12)


@pytest.mark.parametrize("entries", ENTRIES)
def test_hutchinson_variance(entries: str) -> None:
    """docs/theory/log-det-estimation.md#its-variance"""
    matrix = contraction(4, 0.9)
    vectors, probability = probes(entries, 4)
    values = np.einsum("ni,ij,nj->n", vectors, matrix, vectors)
    variance = probability @ (values - np.trace(matrix)) ** 2
    symmetric, diagonal = (matrix + matrix.T) / 2, (np.diag(matrix) ** 2).sum()
    off_diagonal = (symmetric**2).sum() - diagonal
    fourth_moment = ENTRIES[entries][2]
    assert variance == pytest.approx((fourth_moment - 1) * diagonal + 2 * off_diagonal, rel=1e-12)
    assert variance >= 2 * off_diagonal * (1 - 1e-12)
    if entries == "normal":
        assert variance == pytest.approx(2 * (symmetric**2).sum(), rel=1e-12)


def stopping(rho: float, count: int) -> tuple[Array, Array]:
    """`P(N = n)` and `P(N >= n)` of a geometric number, for n = 1, ..., count."""
    at_least = (1 - rho) ** np.arange(count)
    return rho * at_least, at_least


@pytest.mark.parametrize("always", [0, 2])
def test_roulette_is_unbiased_where_truncation_is_not(always: int) -> None:
    """docs/theory/log-det-estimation.md#russian-roulette-removes-the-bias"""
    rho, matrix = 0.3, contraction(8, 0.7)
    exact = np.linalg.slogdet(np.eye(8) + matrix).logabsdet
    terms = trace_terms(matrix, 300 + always)
    probability, at_least = stopping(rho, 300)
    outcomes = terms[:always].sum() + np.cumsum(terms[always:] / at_least)
    assert probability @ outcomes == pytest.approx(exact, abs=1e-9)
    mean_cost = always + round(1 / rho)
    assert abs(terms[:mean_cost].sum() - exact) > 1e-3


def test_roulette_with_hutchinson_estimates_the_log_determinant() -> None:
    """docs/theory/log-det-estimation.md#russian-roulette-removes-the-bias

    False alarm: 1 in a million (4.9 standard errors of a mean of 100,000 draws).
    """
    draws, rho, always, matrix = 100_000, 0.5, 2, contraction(8, 0.6)
    rng = np.random.default_rng(0)
    v = rng.choice([-1.0, 1.0], size=(draws, 8))
    last = always + rng.geometric(rho, size=draws)
    estimate, power = np.zeros(draws), v
    for k in range(1, last.max() + 1):
        power = power @ matrix
        chance = (1 - rho) ** max(k - always - 1, 0)
        estimate += (k <= last) * (-1) ** (k + 1) / k * (power * v).sum(axis=1) / chance
    exact = np.linalg.slogdet(np.eye(8) + matrix).logabsdet
    error = estimate.std() / math.sqrt(draws)
    assert error < 0.01
    assert abs(estimate.mean() - exact) < 4.9 * error


def test_roulette_variance_is_the_double_sum_and_may_diverge() -> None:
    """docs/theory/log-det-estimation.md#the-roulettes-variance-can-be-infinite"""

    def second_moments(kappa: float, rho: float, count: int) -> tuple[Array, float]:
        """`E[R^2; N <= n]` for each n, and the page's double sum cut off at `count`."""
        terms = kappa ** np.arange(1, count + 1)
        probability, at_least = stopping(rho, count)
        first = np.minimum.outer(np.arange(count), np.arange(count))
        double = (np.outer(terms, terms) / at_least[first]).sum()
        return np.cumsum(probability * np.cumsum(terms / at_least) ** 2), double

    moments, double = second_moments(kappa=0.7, rho=0.3, count=200)
    assert moments[-1] == pytest.approx(double, rel=1e-6)
    assert moments[-1] / moments[99] == pytest.approx(1, rel=1e-6)
    moments, double = second_moments(kappa=0.9, rho=0.3, count=200)
    assert moments[-1] / moments[99] > 1000
    assert double > 1000 * moments[99]


def test_the_gradient_is_a_neumann_series() -> None:
    """docs/theory/log-det-estimation.md#its-gradient-is-a-neumann-series"""
    size, matrix = 8, contraction(8, 0.7)
    change = np.random.default_rng(3).normal(size=(size, size))
    powers = [np.linalg.matrix_power(matrix, k) for k in range(120)]
    terms = np.array([(-1) ** k * np.trace(power @ change) for k, power in enumerate(powers)])

    def along(function: Callable[[Array], float], step: float = 1e-5) -> float:
        return (function(matrix + step * change) - function(matrix - step * change)) / (2 * step)

    derivative = along(lambda a: float(np.linalg.slogdet(np.eye(size) + a).logabsdet))
    np.testing.assert_allclose(terms.sum(), derivative, rtol=1e-7)
    np.testing.assert_allclose(terms.sum(), np.trace(np.linalg.solve(np.eye(size) + matrix, change)), rtol=1e-12)
    for n in range(6):
        cut_off = along(lambda a, n=n: float(trace_terms(a, n + 1).sum()))
        np.testing.assert_allclose(terms[: n + 1].sum(), cut_off, rtol=1e-6)
    # With fixed u, over all probes of a basis, whatever the weights: u^T dA v adds up to the weighted series.
    weights = np.array([1.0, 1.0, 2.0, 5.0])
    row = sum(w * (-1) ** k * power for k, (w, power) in enumerate(zip(weights, powers, strict=False)))
    assert isinstance(row, np.ndarray)
    estimates = [probe @ row @ change @ probe for probe in math.sqrt(size) * np.eye(size)]
    np.testing.assert_allclose(np.mean(estimates), weights @ terms[:4], rtol=1e-12)
