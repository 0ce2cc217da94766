"""The claims of docs/theory/gan.md, with the project's own loss.

Distributions live on a few points with integer weights, so that the loss, a mean over samples, is an exact expectation.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from fashion_dgm.gans import objectives

REAL, FAKE = torch.tensor([8, 4, 2, 1, 5]), torch.tensor([1, 6, 3, 5, 5])


def loss(logits: Tensor, real: Tensor, fake: Tensor) -> Tensor:
    """The discriminator's loss if it gives each point one logit."""
    return objectives.discriminator_loss(logits.repeat_interleave(real), logits.repeat_interleave(fake))


def share(counts: Tensor) -> Tensor:
    return counts.double() / counts.sum()


def jensen_shannon(p: Tensor, g: Tensor) -> Tensor:
    m = (p + g) / 2
    return 0.5 * (torch.xlogy(p, p / m) + torch.xlogy(g, g / m)).sum()


def some_counts(seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    real, fake = (torch.randint(1, 30, (6,), generator=generator) for _ in range(2))
    return real, fake


def test_training_finds_the_density_ratio() -> None:
    """docs/theory/gan.md#the-optimal-discriminator"""
    logits = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [logits], max_iter=200, tolerance_grad=1e-12, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss(logits, REAL, FAKE)
        value.backward()
        return value

    optimizer.step(closure)
    p, g = share(REAL), share(FAKE)
    torch.testing.assert_close(logits.detach().sigmoid(), p / (p + g), rtol=0, atol=1e-6)
    torch.testing.assert_close(logits.detach(), (p / g).log(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_optimal_loss_is_two_log_two_minus_two_js(seed: int) -> None:
    """docs/theory/gan.md#jensenshannon-at-the-optimum"""
    real, fake = some_counts(seed)
    p, g = share(real), share(fake)
    js = jensen_shannon(p, g)
    optimal = loss((p / g).log(), real, fake)
    assert optimal.item() == pytest.approx(2 * math.log(2) - 2 * js.item(), abs=1e-12)
    assert 0 < js < math.log(2)
    assert loss(torch.zeros(6, dtype=torch.float64), real, real).item() == pytest.approx(2 * math.log(2))


@pytest.mark.parametrize("seed", range(5))
def test_any_discriminator_bounds_js_from_below(seed: int) -> None:
    """docs/theory/gan.md#any-discriminator-bounds-the-divergence"""
    real, fake = some_counts(seed)
    js = jensen_shannon(share(real), share(fake))
    generator = torch.Generator().manual_seed(seed)
    for scale in (0.1, 1.0, 5.0):
        logits = scale * torch.randn(6, generator=generator, dtype=torch.float64)
        assert math.log(2) - loss(logits, real, fake) / 2 < js


def test_generator_against_the_optimal_discriminator_finds_the_data() -> None:
    """docs/theory/gan.md#the-generators-optimum"""
    p = share(REAL)
    weights = torch.tensor([2.0, -1.0, 0.0, 1.0, -2.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weights], max_iter=300, tolerance_grad=1e-12, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = 2 * jensen_shannon(p, weights.softmax(0)) - 2 * math.log(2)
        value.backward()
        return value

    start = closure().item()
    optimizer.step(closure)
    g = weights.detach().softmax(0)
    torch.testing.assert_close(g, p, rtol=0, atol=1e-4)
    torch.testing.assert_close(p / (p + g), torch.full((5,), 0.5, dtype=torch.float64), rtol=0, atol=1e-3)
    assert start > closure().item()
    assert closure().item() == pytest.approx(-2 * math.log(2), abs=1e-8)
