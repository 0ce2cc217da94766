"""The number of terms and their weights."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import Geometric, Poisson, Roulette, Truncation

REFERENCES = [
    (Geometric(0.5), stats.geom(0.5)),
    (Geometric(0.1), stats.geom(0.1)),
    (Poisson(2.0), stats.poisson(2.0)),
    (Poisson(9.5), stats.poisson(9.5)),
]


@pytest.mark.parametrize(("distribution", "reference"), REFERENCES)
def test_tail_and_mean_are_those_of_the_reference(distribution, reference):
    k = np.arange(0, 40)
    np.testing.assert_allclose([distribution.at_least(int(one)) for one in k], reference.sf(k - 1), rtol=1e-9)
    assert distribution.mean == pytest.approx(reference.mean())


@pytest.mark.parametrize(("distribution", "reference"), REFERENCES)
def test_draws_follow_the_distribution(distribution, reference):
    """Chi-squared test of 20,000 draws; false alarm: 1 in 10,000 for each distribution."""
    generator = torch.Generator().manual_seed(0)
    draws = np.array([distribution.sample(generator) for _ in range(20_000)])
    low, high = int(reference.ppf(0.001)), int(reference.ppf(0.999))
    assert draws.min() >= (1 if isinstance(distribution, Geometric) else 0)
    bins = np.arange(low, high + 1)
    observed = [(draws <= low).sum(), *[(draws == k).sum() for k in bins[1:-1]], (draws >= high).sum()]
    expected = 20_000 * np.array([reference.cdf(low), *reference.pmf(bins[1:-1]), reference.sf(high - 1)])
    assert stats.chisquare(observed, expected).pvalue > 1e-4


@pytest.mark.parametrize("distribution", [Geometric(0.4), Poisson(3.0)])
@pytest.mark.parametrize("exact_terms", [0, 2])
def test_weights_are_inverse_probabilities_of_being_computed(distribution, exact_terms):
    roulette = Roulette(exact_terms, distribution)
    generator = torch.Generator().manual_seed(1)
    draws = [roulette.draw(generator) for _ in range(2000)]
    longest = max(draws, key=len)
    assert longest[:exact_terms] == (1.0,) * exact_terms
    for k, weight in enumerate(longest[exact_terms:], start=1):
        assert weight == pytest.approx(1 / distribution.at_least(k))
    # The weights of one draw are a prefix of those of another: only the number of terms is random.
    assert all(draw == longest[: len(draw)] for draw in draws)
    lengths = np.array([len(draw) for draw in draws])
    # False alarm: 1 in a million (4.9 standard errors).
    assert abs(lengths.mean() - roulette.expected_terms) < 4.9 * lengths.std() / math.sqrt(len(lengths))


def test_truncation_weighs_each_term_with_1():
    assert Truncation(3).draw() == (1.0, 1.0, 1.0)
    assert Truncation(3).expected_terms == 3


@pytest.mark.parametrize(
    "make",
    [
        lambda: Truncation(0),
        lambda: Roulette(-1, Geometric(0.5)),
        lambda: Geometric(0.0),
        lambda: Geometric(1.0),
        lambda: Geometric(math.nan),
        lambda: Poisson(0.0),
        lambda: Poisson(-1.0),
        lambda: Poisson(math.inf),
        lambda: Poisson(math.nan),
    ],
)
def test_impossible_values_are_refused(make):
    with pytest.raises(FashionDGMError, match="not"):
        make()
