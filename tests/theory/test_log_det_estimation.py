"""The claims of docs/theory/log-det-estimation.md, by the estimators that train."""

import itertools
import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fashion_dgm.flows import Geometric, Poisson, Roulette, draw_probes, log_det_series, probe_powers

Array = NDArray[np.float64]


def contraction(size: int, norm: float, seed: int = 0) -> Array:
    """A matrix without symmetry whose largest singular value is `norm`."""
    matrix = np.random.default_rng(seed).normal(size=(size, size))
    return matrix * norm / np.linalg.norm(matrix, 2)


def quadratic_forms(matrix: Array, vectors: Array, count: int) -> Array:
    """`v^T A^k v` for `k = 1, ..., count` of vectors `(n, size)`, by products with vectors: `(count, n)`."""
    weight, x = torch.from_numpy(matrix), torch.zeros(1, len(matrix), dtype=torch.float64)
    _, powers = probe_powers(lambda inputs: inputs @ weight.T, x, torch.from_numpy(vectors)[:, None], count)
    return powers[:, :, 0].numpy()


def signs(count: int) -> Array:
    """`(-1)^(k+1) / k`."""
    k = np.arange(1, count + 1)
    return (-1.0) ** (k + 1) / k


def trace_terms(matrix: Array, count: int) -> Array:
    """The first terms of the series: `(-1)^(k+1) tr(A^k) / k`; with the standard basis as vectors, the sum is the trace."""
    return signs(count) * quadratic_forms(matrix, np.eye(len(matrix)), count).sum(axis=1)


def test_fixed_point_converges_within_its_bound() -> None:
    """docs/theory/log-det-estimation.md#residual-layers-are-invertible"""
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
    matrix = contraction(4, 0.9)
    vectors, probability = probes(entries, 4)
    trace = np.trace(np.linalg.matrix_power(matrix, power))
    assert quadratic_forms(matrix, vectors, power)[-1] @ probability == pytest.approx(trace, abs=1e-12)


@pytest.mark.parametrize("entries", ENTRIES)
def test_hutchinson_variance(entries: str) -> None:
    """docs/theory/log-det-estimation.md#variance-of-hutchinsons-estimator"""
    matrix = contraction(4, 0.9)
    vectors, probability = probes(entries, 4)
    values = quadratic_forms(matrix, vectors, 1)[0]
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
    at_least = np.array([Geometric(rho).at_least(n) for n in range(1, count + 1)])
    return rho * at_least, at_least


@pytest.mark.parametrize("always", [0, 2])
def test_roulette_is_unbiased_where_truncation_is_not(always: int) -> None:
    """docs/theory/log-det-estimation.md#russian-roulette-removes-the-bias"""
    rho, matrix, count = 0.3, contraction(8, 0.7), 300 + always
    exact = np.linalg.slogdet(np.eye(8) + matrix).logabsdet
    terms, roulette = trace_terms(matrix, count), Roulette(always, Geometric(rho))
    outcomes = np.cumsum(terms / [roulette.at_least(k) for k in range(1, count + 1)])
    assert stopping(rho, 300)[0] @ outcomes[always:] == pytest.approx(exact, abs=1e-9)
    mean_cost = round(roulette.expected_terms)
    assert abs(terms[:mean_cost].sum() - exact) > 1e-3


@pytest.mark.parametrize(
    "roulette", [Roulette(0, Geometric(0.3)), Roulette(2, Geometric(0.5)), Roulette(2, Poisson(4.0))], ids=str
)
def test_roulette_with_hutchinson_estimates_the_log_determinant(roulette: Roulette) -> None:
    """docs/theory/log-det-estimation.md#russian-roulette-removes-the-bias

    False alarm: 1 in a million for each (4.9 standard errors of a mean of 1,000 draws of 32 probes). For Poisson, whose
    variance is infinite on paper, this holds of the terms that 1,000 draws reach.
    """
    matrix, generator = torch.from_numpy(contraction(8, 0.6)), torch.Generator().manual_seed(0)
    x = torch.zeros(1, 8, dtype=torch.float64)

    def estimate() -> float:
        probes, weights = draw_probes(x, 32, generator=generator), roulette.draw(generator)
        return log_det_series(lambda inputs: inputs @ matrix.T, x, probes, weights)[1].item()

    estimates = np.array([estimate() for _ in range(1000)])
    exact = torch.linalg.slogdet(torch.eye(8) + matrix).logabsdet.item()
    error = estimates.std() / math.sqrt(len(estimates))
    assert error < 0.02
    assert abs(estimates.mean() - exact) < 4.9 * error


def second_moments(terms: Array, rho: float) -> Array:
    """`E[R^2; N <= n]` for n = 1, 2, ..., over fixed terms `(..., K)`: they rise to `E[R^2]`, finite or not."""
    probability, at_least = stopping(rho, terms.shape[-1])
    return np.cumsum(probability * np.cumsum(terms / at_least, axis=-1) ** 2, axis=-1)


@pytest.mark.parametrize("sign", [1, -1], ids=["one sign", "alternating"])
def test_roulette_variance_is_finite_with_the_sum_of_squares(sign: int) -> None:
    """docs/theory/log-det-estimation.md#the-roulettes-variance-can-be-infinite"""

    def ratios(terms: Array, rho: float) -> tuple[Array, Array]:
        """`E[R^2; N <= n]` over the sum of squares up to n, and that sum."""
        squares = np.cumsum(terms**2 / stopping(rho, len(terms))[1])
        return second_moments(terms, rho) / squares, squares

    k, rho = np.arange(1, 601), 0.3
    root = math.sqrt(1 - rho)  # 0.837
    least, most = (1 - root) / (1 + root), (1 + root) / (1 - root)
    for kappa, finite in ((0.7, True), (0.82, True), (0.86, False), (0.95, False)):
        for terms in (sign**k * kappa**k, sign**k * kappa**k / k, sign ** (k // 2) * kappa**k):
            ratio, squares = ratios(terms, rho)
            # Each partial sum of the squares is bounded by a partial sum of the moment, and conversely.
            assert (least <= ratio).all() and (ratio <= most).all()
            moments = ratio * squares
            assert (moments[-1] < 1.001 * moments[299]) == finite
            assert (moments[-1] > 1000 * moments[299]) != finite
    # At the threshold itself the 1/k of a logarithm's series decides.
    for divided, grows in ((1, False), (k, True)):
        _, squares = ratios(sign**k * root**k * divided / k, rho)
        assert (squares[-1] > 1.5 * squares[299]) == grows
    # Neither constant can be improved: geometric terms at the threshold, of alternating and of one sign, come near them.
    ratio, _ = ratios(sign**k * root**k, rho)
    assert ratio[-1] == pytest.approx(most if sign == 1 else least, rel=0.05)


def test_double_sum_is_the_second_moment_where_it_converges_absolutely() -> None:
    """docs/theory/log-det-estimation.md#the-roulettes-variance-can-be-infinite"""
    k = np.arange(1, 201)
    for terms in (0.7**k, (-0.7) ** k / k):
        _, at_least = stopping(0.3, len(k))
        double = (np.outer(terms, terms) / at_least[np.minimum.outer(k - 1, k - 1)]).sum()
        assert second_moments(terms, 0.3)[-1] == pytest.approx(double, rel=1e-6)


@pytest.mark.parametrize(("radius", "above", "finite"), [(0.5, 0.8, True), (0.8, 0.4, True), (0.88, 0.3, False)])
@pytest.mark.parametrize("sign", [1, -1], ids=["alternating", "one sign"])
def test_spectral_radius_decides_on_the_variance_of_the_log_determinant(
    radius: float, above: float, finite: bool, sign: int
) -> None:
    """docs/theory/log-det-estimation.md#the-roulettes-variance-can-be-infinite"""
    rho, count = 0.3, 400
    matrix = np.array([[sign * radius, 0, above], [0, 0.3, 0], [0, 0, -0.2]])
    assert 1 - rho < np.linalg.norm(matrix, 2) ** 2 < 1  # were the norm to decide, none would be finite
    vectors, probability = probes("Rademacher", 3)
    terms = quadratic_forms(matrix, vectors, count).T * signs(count)
    moments = probability @ second_moments(terms, rho)
    assert (moments[-1] < 1.001 * moments[199]) == finite
    assert (moments[-1] > 1000 * moments[199]) != finite


@pytest.mark.parametrize("rate", [2.0, 10.0])
def test_poisson_roulette_of_a_log_determinant_has_infinite_variance(rate: float) -> None:
    """docs/theory/log-det-estimation.md#the-roulettes-variance-can-be-infinite"""
    k = np.arange(1, 121)
    for eigenvalue in (-0.5, 0.5):
        terms = -((-eigenvalue) ** k) / k
        at_least = np.array([Poisson(rate).at_least(n) for n in range(1, 122)])
        moments = np.cumsum(-np.diff(at_least) * np.cumsum(terms / at_least[:-1]) ** 2)
        assert moments[-1] > 1e6 * moments[59]
