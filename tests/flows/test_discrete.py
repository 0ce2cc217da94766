"""The discrete likelihood, on densities whose probabilities of cells are known."""

import copy
import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.stats import norm
from torch import Tensor

from fashion_dgm.config import Config, DiscreteLikelihoodConfig, SeriesConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import ActNorm, Chain, ExactLogDet, Flow, Logit, MultiScale, ResidualFlow, bits_per_dim_of
from fashion_dgm.flows.likelihood import discrete_likelihood, importance_bound, log_probs_under_noise
from tests.small import residual_config

SHAPE = (1, 1, 3)
# Black, where the density of a cell varies most, and two greys.
IMAGES = torch.tensor([[0, 7, 130], [1, 200, 0], [255, 3, 90], [0, 0, 254]], dtype=torch.uint8).view(4, *SHAPE)


def config(**changes: object) -> DiscreteLikelihoodConfig:
    values = {"images": 4, "draws": (1, 4, 16, 64, 256), "batch_size": 100, "seed": 0, "device": "cpu"}
    return DiscreteLikelihoodConfig(**{**values, **changes})


@pytest.fixture
def flow() -> Flow:
    """Independent pixels: a logit, a scale and a shift, then the standard normal."""
    scale = ActNorm(1)
    with torch.no_grad():
        scale.log_scale.fill_(0.7)
        scale.bias.fill_(1.0)
    return Flow(Config(), SHAPE, Chain(Logit(1e-6), MultiScale([Chain(scale)], [SHAPE]))).double().eval()


def exact_bits(flow: Flow, images: Tensor) -> np.ndarray:
    """Bits/dim of the discrete likelihood: a cell's probability is that of the interval of latents that it maps to."""
    pixels = images.double()
    with torch.no_grad():
        low, high = (flow((pixels + shift) / 256)[0].numpy() for shift in (0.0, 1.0))
    # The survival function where both are large, so that no digits are lost.
    flip = low > 0
    probability = norm.cdf(np.where(flip, -low, high)) - norm.cdf(np.where(flip, -high, low))
    return -np.log2(probability).mean(1)


def test_the_bound_falls_with_every_step_of_draws_and_reaches_the_discrete_likelihood(flow) -> None:
    """docs/reading-the-numbers.md#bits-per-dimension"""
    found = discrete_likelihood(flow, IMAGES, config(draws=(1, 4, 16, 64, 256, 4096, 65536), batch_size=20_000))
    exact = exact_bits(flow, IMAGES)
    # Groups nest, so every image's bound falls, not only the mean.
    assert (np.diff(found.bits_per_dim, axis=0) <= 0).all()
    gaps = found.bits_per_dim - exact
    assert (gaps[0] > 0.1).all()
    # The relative error of a mean of K weights, from the weights themselves, at 5 standard errors.
    assert (np.abs(gaps[-1]) < 5 / (3 * math.log(2)) / np.sqrt(found.effective_draws)).all()
    assert (np.abs(gaps[-1]) < 0.1 * gaps[0]).all()


def test_one_draw_is_the_bound_that_is_reported_elsewhere(flow) -> None:
    one = discrete_likelihood(flow, IMAGES, config(draws=(1, 16384), batch_size=10_000)).bits_per_dim[0]
    reported = np.stack([bits_per_dim_of(flow, IMAGES, 4, seed, torch.float64) for seed in range(2000)])
    error = reported.std(0, ddof=1) / math.sqrt(2000)
    # 5 of its standard errors, widened by those of `one`.
    assert (np.abs(one - reported.mean(0)) < 5 * error * math.sqrt(1 + 2000 / 16384)).all()


def test_a_uniform_density_has_no_gap() -> None:
    flow = Flow(Config(), SHAPE, MultiScale([Chain(ActNorm(1))], [SHAPE])).double().eval()
    flow.log_prob = lambda x, probes=None: torch.zeros(len(x), dtype=torch.float64)
    found = discrete_likelihood(flow, IMAGES, config())
    np.testing.assert_allclose(found.bits_per_dim, 8)
    np.testing.assert_allclose(found.effective_draws, 256)


def test_noise_follows_the_seed_alone_and_the_global_generator_is_left_alone(flow) -> None:
    before = torch.get_rng_state()
    first = discrete_likelihood(flow.train(), IMAGES, config())
    assert flow.training
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(
        first.bits_per_dim, discrete_likelihood(flow, IMAGES, config(batch_size=7)).bits_per_dim
    )
    fewer = discrete_likelihood(flow, IMAGES, config(images=2))
    np.testing.assert_array_equal(first.bits_per_dim[:, :2], fewer.bits_per_dim)
    other = discrete_likelihood(flow, IMAGES, config(seed=1))
    assert not np.array_equal(first.bits_per_dim, other.bits_per_dim)


def test_the_summary_has_standard_errors_over_images(flow) -> None:
    found = discrete_likelihood(flow, IMAGES, config())
    summary = found.summary()
    assert summary["images"] == 4
    assert summary["bits_per_dim"]["256"] == pytest.approx(found.bits_per_dim[-1].mean())
    assert summary["bits_per_dim_error"]["1"] == pytest.approx(found.bits_per_dim[0].std(ddof=1) / 2)
    paired = found.bits_per_dim[0] - found.bits_per_dim[-1]
    assert summary["gain"]["256"] == pytest.approx(paired.mean())
    assert summary["gain_error"]["256"] == pytest.approx(paired.std(ddof=1) / 2)
    assert 1 <= summary["effective_draws"] <= 256
    assert "bits_per_dim_error" not in discrete_likelihood(flow, IMAGES, config(images=1)).summary()


def test_independent_weights_give_a_bound_and_no_more() -> None:
    """For any fixed weights the value is at most the logarithm of the mean, and equal to it for the best ones."""
    generator = torch.Generator().manual_seed(0)
    log_probs, other = (3 * torch.randn(50, 16, generator=generator, dtype=torch.float64) for _ in range(2))
    best = log_probs.logsumexp(1) - math.log(16)
    torch.testing.assert_close(importance_bound(log_probs, 16), best)
    assert (importance_bound(log_probs, 16, other) < best).all()
    torch.testing.assert_close(importance_bound(log_probs, 1, other), log_probs.mean(1))
    with pytest.raises(FashionDGMError, match="a mean over 17 draws"):
        importance_bound(log_probs, 17)


@pytest.mark.slow
def test_an_estimated_log_determinant_does_not_pass_for_likelihood() -> None:
    """Weights and values from the same probes would lie *below* the bits that the exact determinant gives; ours do not."""
    series = SeriesConfig(exact_terms=2, roulette="geometric", probe_kind="gaussian")
    changes = {"scales": 1, "blocks": 2, "linear_blocks": 0, "logit_alpha": 0.05, "evaluation": series}
    flow = ResidualFlow(residual_config(**changes), (1, 4, 4)).double()
    with torch.no_grad():
        for block in flow.blocks:
            for parameter in block.g.parameters():
                parameter.mul_(20)
    flow.constrain()
    images = torch.randint(0, 256, (6, 1, 4, 4), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    flow.bits_per_dim(images)
    exact_flow = copy.deepcopy(flow.eval())
    for block in exact_flow.blocks:
        block.evaluation_estimate = ExactLogDet()
    runs, per_bit = [], 16 * math.log(2)
    for seed in range(8):
        ours = discrete_likelihood(flow, images, config(images=6, draws=(1, 32), batch_size=64, seed=seed))
        naive, exact = (
            8 - importance_bound(log_probs_under_noise(one, images, 32, 64, seed), 32).numpy() / per_bit
            for one in (flow, exact_flow)
        )
        runs.append([(naive - exact).mean(), (ours.bits_per_dim[1] - exact).mean()])
    (naive_gap, gap), errors = np.mean(runs, 0), np.std(runs, 0, ddof=1) / math.sqrt(len(runs))
    assert naive_gap < -5 * errors[0]
    assert gap > -5 * errors[1]


@pytest.mark.parametrize("draws", [(4, 1), (1, 4, 6), (1, 1), ()])
def test_draws_that_do_not_nest_are_refused(draws) -> None:
    with pytest.raises(ValidationError, match="draws"):
        config(draws=draws)


def test_no_image_is_an_error(flow) -> None:
    with pytest.raises(FashionDGMError, match="at least one image"):
        discrete_likelihood(flow, IMAGES[:0], config())
