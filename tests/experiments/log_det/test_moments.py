"""Theory against every probe there is: `2^D` of them."""

import itertools
import math

import numpy as np
import pytest
import torch

from fashion_dgm.experiments.log_det.blocks import random_block
from fashion_dgm.experiments.log_det.moments import term_moments, truncation_bound
from fashion_dgm.flows import Geometric, Poisson, Roulette, batch_jacobian

D, K = 4, 150


@pytest.fixture(scope="module")
def jacobian() -> torch.Tensor:
    block = random_block("dense", D, 0.9, seed=1)
    return batch_jacobian(block.g, block.x)[1][0]


def every_term(jacobian: torch.Tensor, terms: int = K) -> np.ndarray:
    """`d_k` of each of the 2^D Rademacher probes, `(terms, 2^D)`, written out."""
    probes = np.array(list(itertools.product([-1.0, 1.0], repeat=D)))
    matrix, power, found = jacobian.numpy(), np.eye(D), []
    for k in range(1, terms + 1):
        power = power @ matrix
        found.append((-1) ** (k + 1) / k * np.einsum("ni,ij,nj->n", probes, power, probes))
    return np.array(found)


def test_means_and_covariances_of_rademacher_probes_are_exact(jacobian):
    moments, terms = term_moments(jacobian, 6), every_term(jacobian, 6)
    np.testing.assert_allclose(moments.means, terms.mean(1), atol=1e-14)
    np.testing.assert_allclose(moments.covariances["rademacher"], np.cov(terms, bias=True), atol=1e-14)


def test_covariances_of_gaussian_probes_are_those_of_quadratic_forms(jacobian):
    """False alarm: 1 in 10,000 for each of the three values (3.9 standard errors of 200,000 draws)."""
    v = np.random.default_rng(0).normal(size=(200_000, D))
    matrix = jacobian.numpy()
    terms = [np.einsum("ni,ij,nj->n", v, matrix, v), -np.einsum("ni,ij,nj->n", v, matrix @ matrix, v) / 2]
    found = term_moments(jacobian, 2)
    for i, j in ((0, 0), (0, 1), (1, 1)):
        products = (terms[i] - found.means[i]) * (terms[j] - found.means[j])
        error = products.std() / math.sqrt(len(v))
        assert abs(products.mean() - found.covariances["gaussian"][i, j]) < 3.9 * error


def test_truncation_has_the_bias_and_variance_of_its_sum(jacobian):
    moments, terms = term_moments(jacobian, K), every_term(jacobian)
    exact = np.linalg.slogdet(np.eye(D) + jacobian.numpy()).logabsdet
    for n in (1, 3, 10):
        sums = terms[:n].sum(0)
        assert moments.truncation_bias(n) == pytest.approx(sums.mean() - exact, abs=1e-12)
        assert moments.truncation_variance(n, "rademacher") == pytest.approx(sums.var(), abs=1e-12)
        assert abs(moments.truncation_bias(n)) <= truncation_bound(D, 0.9, n)
    assert moments.exact == pytest.approx(exact)
    # Rademacher probes save the diagonal's part of the variance.
    rademacher, gaussian = (moments.truncation_variance(K, kind) for kind in ("rademacher", "gaussian"))
    assert 1 - rademacher / gaussian == pytest.approx(moments.diagonal_fraction)


@pytest.mark.parametrize("exact_terms", [0, 2])
def test_roulette_has_the_variance_of_all_its_outcomes(jacobian, exact_terms):
    moments, terms = term_moments(jacobian, K), every_term(jacobian)
    roulette = Roulette(exact_terms, Geometric(0.3))
    chance = np.array([roulette.at_least(k) for k in range(1, K + 1)])
    outcomes = np.cumsum(terms / chance[:, None], axis=0)
    probability = (chance - np.append(chance[1:], 0))[:, None] / outcomes.shape[1]
    mean = (probability * outcomes).sum()
    variance = (probability * (outcomes - mean) ** 2).sum()
    assert mean == pytest.approx(moments.exact, abs=1e-9)
    assert moments.roulette_variance(roulette, "rademacher") == pytest.approx(variance, rel=1e-9)
    capped = moments.capped_variances(roulette, "rademacher")
    assert capped[0] == pytest.approx((terms[0] / chance[0]).var())
    assert capped[-1] == pytest.approx(variance, rel=1e-9)


def test_variance_is_infinite_where_theory_says(jacobian):
    moments = term_moments(0.9 * torch.diag(torch.tensor([-1.0, 0.5, 0.2, 0.1], dtype=torch.float64)), 400)
    assert moments.radius == pytest.approx(0.9)
    # 0.9^2 = 0.81 against the chance to go on.
    assert moments.is_finite(Roulette(0, Geometric(0.18)))
    assert not moments.is_finite(Roulette(0, Geometric(0.20)))
    assert not moments.is_finite(Roulette(5, Poisson(100.0)))
    assert moments.roulette_variance(Roulette(0, Geometric(0.20)), "rademacher") == math.inf
    # It grows without end, where the finite one settles.
    endless = moments.capped_variances(Roulette(0, Geometric(0.30)), "gaussian")
    settled = moments.capped_variances(Roulette(0, Geometric(0.10)), "gaussian")
    assert endless[-1] > 1e6 * endless[200]
    assert settled[-1] == pytest.approx(settled[300], rel=1e-3)
