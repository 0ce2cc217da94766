"""A flow that estimates its log-determinant: probes are passed to every layer, and nothing else is random."""

import numpy as np
import pytest
import torch
from tests.small import residual_config

from fashion_dgm.config import SeriesConfig
from fashion_dgm.experiments.likelihood import decompose, trace
from fashion_dgm.experiments.likelihood.second_order import second_order_gap
from fashion_dgm.flows import ResidualFlow, bits_per_dim_of

SHAPE = (1, 4, 4)
IMAGES = torch.randint(0, 256, (6, *SHAPE), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
X = (IMAGES.double() + 0.5) / 256


@pytest.fixture
def flow() -> ResidualFlow:
    series = SeriesConfig(exact_terms=2, roulette="geometric")
    made = ResidualFlow(residual_config(factor_out=True, evaluation=series, logit_alpha=0.05), SHAPE).double()
    made(X)
    return made.eval()


@pytest.mark.parametrize("seed", [None, 5])
def test_a_trace_is_that_of_the_likelihood(flow, seed) -> None:
    def probes() -> torch.Generator | None:
        return None if seed is None else torch.Generator().manual_seed(seed)

    found = trace(flow, X, probes())
    assert torch.equal(found.log_det, trace(flow, X, probes()).log_det)
    torch.testing.assert_close(found.log_prob, flow.log_prob(X, probes()), rtol=1e-12, atol=1e-12)
    assert not torch.equal(found.log_det, trace(flow, X, torch.Generator().manual_seed(6)).log_det)


def test_the_terms_add_up_to_the_likelihood_and_everything_repeats(flow) -> None:
    """docs/reading-the-numbers.md#likelihood-decomposition"""
    before = torch.get_rng_state()
    first, second = (decompose(flow, IMAGES, 4, 3) for _ in range(2))
    assert np.array_equal(first.layers, second.layers)
    bits = bits_per_dim_of(flow, IMAGES, 4, 3, torch.float64)
    np.testing.assert_allclose(first.bits_per_dim, bits, rtol=1e-12)
    gaps = [second_order_gap(flow, IMAGES[:3], IMAGES[3:], (0.5,), 2, 0) for _ in range(2)]
    assert gaps[0] == gaps[1]
    assert torch.equal(torch.get_rng_state(), before)
