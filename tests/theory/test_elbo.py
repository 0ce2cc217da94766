"""The claims of docs/theory/elbo.md."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from fashion_dgm.gans import objectives
from tests.small import make_flow
from tests.theory.conftest import minimise


def normal_mean(function: Callable[[Tensor], Tensor], q: Normal, nodes: int = 40) -> Tensor:
    """The expectation under a normal distribution, by Gauss-Hermite."""
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    values = function(q.mean + q.stddev * torch.from_numpy(points))
    return (torch.from_numpy(weights) * values).sum() / weights.sum()


def normal(mean: float, deviation: float) -> Normal:
    return Normal(torch.tensor(mean, dtype=torch.float64), torch.tensor(deviation, dtype=torch.float64))


def test_maximum_likelihood_minimises_the_divergence() -> None:
    """docs/theory/elbo.md#maximum-likelihood-minimises-a-divergence"""
    data = torch.tensor([0.5, 0.2, 0.15, 0.1, 0.05], dtype=torch.float64)
    entropy = -(data * data.log()).sum()
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        model = torch.randn(5, generator=generator, dtype=torch.float64).softmax(0)
        divergence = (data * (data / model).log()).sum()
        torch.testing.assert_close(divergence, -entropy - (data * model.log()).sum())
        assert divergence > 0
    weights = torch.zeros(5, dtype=torch.float64, requires_grad=True)

    def loss() -> Tensor:
        return -(data * weights.log_softmax(0)).sum()

    minimise(loss, [weights])
    torch.testing.assert_close(weights.detach().softmax(0), data, rtol=0, atol=1e-6)
    assert loss().item() == pytest.approx(entropy.item(), abs=1e-10)


# z ~ N(0, 1) and x | z ~ N(w z, s^2): evidence and posterior are known.
W, S, X = 1.3, 0.7, 0.9
PRIOR, EVIDENCE = normal(0, 1), normal(0, math.sqrt(W**2 + S**2)).log_prob(torch.tensor(X, dtype=torch.float64))
POSTERIOR = normal(W * X / (W**2 + S**2), S / math.sqrt(W**2 + S**2))


def elbo(q: Normal) -> Tensor:
    reconstruction = normal_mean(lambda z: Normal(W * z, S).log_prob(torch.tensor(X, dtype=torch.float64)), q)
    return reconstruction - kl_divergence(q, PRIOR)


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (0.5, 0.3), (-1.0, 2.0)])
def test_gap_of_the_elbo_is_the_divergence_from_the_posterior(mean: float, deviation: float) -> None:
    """docs/theory/elbo.md#the-elbo and docs/theory/elbo.md#the-kl-term-in-closed-form

    And docs/theory/elbo.md#comparison-of-flows-vaes-and-gans
    """
    q = normal(mean, deviation)
    by_integral = normal_mean(lambda z: q.log_prob(z) - PRIOR.log_prob(z), q)
    assert by_integral.item() == pytest.approx(0.5 * (mean**2 + deviation**2 - 1 - math.log(deviation**2)), abs=1e-12)
    torch.testing.assert_close(EVIDENCE - elbo(q), kl_divergence(q, POSTERIOR))
    assert elbo(q) < EVIDENCE
    torch.testing.assert_close(elbo(POSTERIOR), EVIDENCE)


def test_a_flow_is_exact_for_dequantised_images_and_a_bound_for_pixels() -> None:
    """docs/theory/elbo.md#dequantisation-is-an-elbo"""
    changes = {"scales": 1, "channel_couplings": 0, "hidden_channels": 4, "logit_alpha": 0.01}
    flow = make_flow((1, 2, 2), 0.3, **changes)
    # Whole cells of the four pixels, by Gauss-Legendre: no noise is drawn.
    nodes, weights = np.polynomial.legendre.leggauss(6)
    noise = torch.from_numpy(np.array(list(itertools.product((nodes + 1) / 2, repeat=4)))).reshape(-1, 1, 2, 2)
    weight = torch.from_numpy(np.array([math.prod(part) for part in itertools.product(weights / 2, repeat=4)]))
    for pixels in ([0, 0, 0, 0], [0, 255, 3, 128], [90, 100, 110, 120]):
        y = (torch.tensor(pixels, dtype=torch.float64).reshape(1, 1, 2, 2) + noise) / 256
        with torch.no_grad():
            log_density = flow.log_prob(y)
        bound = (weight * log_density).sum() - 4 * math.log(256)
        mass = (weight * log_density.exp()).sum() / 256**4
        log_posterior = log_density - 4 * math.log(256) - mass.log()  # of the noise in its cell, where uniform is 0
        gap = -(weight * log_posterior).sum()
        torch.testing.assert_close(mass.log() - bound, gap, rtol=1e-9, atol=1e-12)
        assert gap > 1e-6


def test_which_generator_losses_lower_the_bound() -> None:
    """docs/theory/elbo.md#comparison-of-flows-vaes-and-gans"""
    generator = torch.Generator().manual_seed(0)
    real, points = torch.randn(6, generator=generator), torch.randn(6, generator=generator, requires_grad=True)

    def gradient(loss: Tensor) -> Tensor:
        (found,) = torch.autograd.grad(loss, points)
        return found

    def discriminator(x: Tensor) -> Tensor:
        return 2 * torch.sin(x) - 0.5

    bound = gradient(math.log(2) - objectives.discriminator_loss(discriminator(real), discriminator(points)) / 2)
    saturating = gradient(objectives.saturating_generator_loss(discriminator(points)))
    torch.testing.assert_close(saturating, 2 * bound)
    usual = gradient(objectives.generator_loss(discriminator(points)))
    ratio = usual / bound  # 2 (1 - D) / D: another one for each sample, so no multiple of the bound's gradient
    torch.testing.assert_close(ratio, 2 * torch.exp(-discriminator(points)).detach())
    assert ratio.max() > 2 * ratio.min()
    estimate = gradient(objectives.wasserstein_estimate(discriminator(real), discriminator(points)))
    torch.testing.assert_close(gradient(objectives.critic_generator_loss(discriminator(points))), estimate)
