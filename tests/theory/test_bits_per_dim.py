"""The claims of docs/theory/bits-per-dim.md."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from fashion_dgm.flows import dequantize, to_bits_per_dim
from fashion_dgm.flows.likelihood import importance_bound

PIXELS = torch.arange(256, dtype=torch.float64)


class Kumaraswamy:
    """A density on the unit interval whose distribution function is known: `1 - (1 - y^a)^b`; uniform for a = b = 1."""

    def __init__(self, a: float, b: float) -> None:
        self.a, self.b = a, b

    def log_density(self, y: Tensor) -> Tensor:
        return math.log(self.a * self.b) + (self.a - 1) * y.log() + (self.b - 1) * torch.log1p(-(y**self.a))

    def probabilities(self) -> Tensor:
        """Of the 256 cells."""
        edges = torch.arange(257, dtype=torch.float64) / 256
        return (1 - (1 - edges**self.a) ** self.b).diff()


def noise(nodes: int = 300) -> tuple[Tensor, Tensor]:
    """Gauss-Legendre nodes and weights on the unit interval: integrals over u without randomness."""
    points, weights = np.polynomial.legendre.leggauss(nodes)
    return torch.from_numpy((points + 1) / 2), torch.from_numpy(weights / 2)


def test_spikes_have_any_likelihood_until_dequantised() -> None:
    """docs/theory/bits-per-dim.md#densities-on-integer-pixels-are-unbounded"""

    def log_density(x: Tensor, sigma: float) -> Tensor:
        components = -0.5 * ((x[..., None] - PIXELS) / sigma) ** 2 - math.log(sigma * math.sqrt(2 * math.pi) * 256)
        return components.logsumexp(-1)

    u, weights = noise()
    for sigma in (1e-1, 1e-2, 1e-4, 1e-8):
        at_pixels = log_density(PIXELS, sigma)
        assert (at_pixels >= -math.log(256 * sigma * math.sqrt(2 * math.pi)) - 1e-9).all()
        # The spike in the middle of its cell, in units of the unit interval: p(y) = 256 p(256 y - 1/2).
        dequantised = (log_density(128 + u - 0.5, sigma) + math.log(256)) @ weights
        assert to_bits_per_dim(dequantised, 1) > 8
    assert at_pixels.mean() > 10


@pytest.mark.parametrize(("a", "b"), [(1, 1), (2, 5), (4, 1.5)])
def test_cells_carry_the_probabilities_of_the_pixels_and_bits_bound_their_code_from_above(a: float, b: float) -> None:
    """docs/theory/bits-per-dim.md#dequantisation-turns-a-density-into-probabilities

    And docs/theory/bits-per-dim.md#bitsdim-bound-the-code-length
    """
    density = Kumaraswamy(a, b)
    u, weights = noise()
    log_density = density.log_density((PIXELS[:, None] + u) / 256)
    probabilities = log_density.exp() @ weights / 256
    torch.testing.assert_close(probabilities, density.probabilities(), rtol=1e-4, atol=1e-9)
    assert probabilities.sum().item() == pytest.approx(1, abs=1e-6)
    bound, code = to_bits_per_dim(log_density @ weights, 1), -density.probabilities().log2()
    if a == b == 1:
        torch.testing.assert_close(bound, code)
    else:
        assert (bound > code).all()
    # Averaged over any data, no model's code is shorter than the entropy.
    data = torch.linspace(1, 3, 256, dtype=torch.float64).softmax(0)
    assert data @ bound > -data @ data.log2()


def test_one_draw_is_an_unbiased_estimate_of_the_bound() -> None:
    """docs/theory/bits-per-dim.md#bitsdim-bound-the-code-length

    False alarm: 1 in a million (4.9 standard errors of a mean of 4,000 draws).
    """
    density, draws = Kumaraswamy(2, 5), 4000
    image = torch.tensor([0, 1, 20, 100, 200, 230], dtype=torch.uint8)
    u, weights = noise()
    bound = to_bits_per_dim((density.log_density((image[:, None] + u) / 256) @ weights).sum(), 6)
    y = dequantize(image.expand(draws, 6), torch.Generator().manual_seed(0), torch.float64)
    # A noise of exactly 0 has probability 2^-16 and, at black, a density of 0.
    log_prob = density.log_density(y.clamp_min(2.0**-26)).sum(1)
    bits = to_bits_per_dim(log_prob, 6)
    assert abs(bits.mean() - bound) < 4.9 * bits.std() / math.sqrt(draws)
    assert bits.min() < -density.probabilities()[image.long()].log2().mean() < bits.mean()


def test_scale_of_the_figure() -> None:
    """docs/theory/bits-per-dim.md#scale-of-bitsdim"""
    assert 784 * math.log(2) == pytest.approx(543.43, abs=0.01)
    bits = to_bits_per_dim(784 * math.log(2) * torch.tensor([0, -1, 1], dtype=torch.float64), 784)
    assert bits.tolist() == pytest.approx([8, 9, 7], abs=1e-12)


def test_gap_is_the_divergence_of_the_noise() -> None:
    """docs/theory/bits-per-dim.md#the-gap-of-the-bound-is-a-kl-divergence"""
    # p(y) = 1/2 + y on the unit interval: all integrals over a cell are known.
    low, high = 0.5 + PIXELS / 256, 0.5 + (PIXELS + 1) / 256
    log_probability = ((high**2 - low**2) / 2).log()
    mean_log_density = 256 * ((high * high.log() - high) - (low * low.log() - low))
    gap = log_probability - (mean_log_density - math.log(256))
    u, weights = noise(20)
    r = (0.5 + (PIXELS[:, None] + u) / 256) / 256 / log_probability.exp()[:, None]
    torch.testing.assert_close(r @ weights, torch.ones(256, dtype=torch.float64))
    torch.testing.assert_close(gap, -r.log() @ weights, rtol=1e-4, atol=1e-12)
    assert (gap > 0).all()
    # With the model's own density of the noise instead of a uniform one, the bound is tight.
    tight = (r * ((0.5 + (PIXELS[:, None] + u) / 256).log() - r.log())) @ weights - math.log(256)
    torch.testing.assert_close(tight, log_probability, rtol=1e-12, atol=1e-12)


def test_the_bound_rises_with_the_draws_and_converges() -> None:
    """docs/theory/bits-per-dim.md#more-draws-of-noise-tighten-the-bound"""
    density, pixels = Kumaraswamy(2, 5), torch.tensor([0, 1, 4, 100, 254, 255])
    u, weights = noise(60)
    w = density.log_density((pixels[:, None] + u) / 256).exp() / 256
    exact = density.probabilities()[pixels].log()
    # The expectation over K draws as an integral over K variables, without randomness.
    means, total, chance = [], torch.zeros(len(pixels), 1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    for k in (1, 2, 3):
        total = (total[:, :, None] + w[:, None, :]).flatten(1)
        chance = (chance[:, None] * weights).flatten()
        means.append((total / k).log() @ chance)
    one, two, three = means
    assert (one < two).all()
    assert (two < three).all()
    assert (three < exact).all()
    # v / 2K, up to the next order: at 5 standard errors of 20,000 groups of 64 draws.
    relative = w / exact.exp()[:, None]
    v = (relative - 1) ** 2 @ weights
    drawn = torch.rand(len(pixels), 64 * 20_000, generator=torch.Generator().manual_seed(0)).double()
    y = (pixels[:, None] + drawn) / 256
    logs = density.log_density(y.clamp_min(2.0**-40)) - math.log(256)
    found = (logs.view(len(pixels), -1, 64).logsumexp(2) - math.log(64)) - exact[:, None]
    error = found.std(1) / math.sqrt(found.shape[1])
    assert ((found.mean(1) + v / 128).abs() < 5 * error + (v / 64) ** 2).all()
    # The estimate of the code is the mean of the same groups.
    torch.testing.assert_close(importance_bound(logs, 64), found.mean(1) + exact)


def test_noise_passes_for_likelihood_unless_weights_are_independent() -> None:
    """docs/theory/bits-per-dim.md#an-estimated-log-density-needs-independent-weights

    False alarm: 1 in a million (4.9 standard errors of a mean over 4,000 images).
    """
    generator = torch.Generator().manual_seed(0)
    logs, first, second = torch.randn(3, 4000, 16, generator=generator, dtype=torch.float64)
    exact = importance_bound(logs, 16)

    def excess(values: Tensor, log_weights: Tensor) -> tuple[float, float]:
        difference = importance_bound(values, 16, log_weights) - exact
        return float(difference.mean()), float(difference.std() / math.sqrt(4000))

    naive, error = excess(logs + first, logs + first)
    assert naive > 4.9 * error
    bound, error = excess(logs + second, logs + first)
    assert bound < -4.9 * error
    # Without noise both are the same.
    assert excess(logs, logs) == (0, 0)
