"""The losses against values computed by hand, and against the formulas as the assignment writes them."""

import math

import pytest
import torch

from fashion_dgm.gans import objectives

REAL = torch.tensor([0.0, 2.0, -1.0], dtype=torch.float64)
FAKE = torch.tensor([1.0, -3.0, 0.5], dtype=torch.float64)


def test_discriminator_loss_by_hand() -> None:
    # D = 1/2 on everything: -log(1/2) - log(1/2).
    zero = torch.zeros(4, dtype=torch.float64)
    assert objectives.discriminator_loss(zero, zero).item() == pytest.approx(2 * math.log(2))


def test_discriminator_loss_is_the_formula() -> None:
    real, fake = torch.sigmoid(REAL), torch.sigmoid(FAKE)
    expected = -real.log().mean() - (1 - fake).log().mean()
    assert objectives.discriminator_loss(REAL, FAKE).item() == pytest.approx(expected.item())


def test_generator_loss_is_the_non_saturating_formula() -> None:
    expected = -torch.sigmoid(FAKE).log().mean()
    assert objectives.generator_loss(FAKE).item() == pytest.approx(expected.item())


def test_critic_losses_by_hand() -> None:
    assert objectives.critic_loss(REAL, FAKE).item() == pytest.approx(-1 / 3 + -1.5 / 3)
    assert objectives.critic_generator_loss(FAKE).item() == pytest.approx(1.5 / 3)
    assert objectives.wasserstein_estimate(REAL, FAKE).item() == pytest.approx(1 / 3 + 1.5 / 3)


@pytest.mark.parametrize("logit", [-200.0, 200.0])
def test_certain_discriminator_gives_finite_losses_and_gradients(logit: float) -> None:
    real = torch.full((2,), logit, requires_grad=True)
    fake = torch.full((2,), logit, requires_grad=True)
    loss = objectives.discriminator_loss(real, fake) + objectives.generator_loss(fake)
    loss.backward()
    assert loss.isfinite()
    assert real.grad is not None and real.grad.isfinite().all()
    assert fake.grad is not None and fake.grad.isfinite().all()


def test_generator_gradient_does_not_vanish_where_the_discriminator_is_sure() -> None:
    # d/dl softplus(-l) = -(1 - sigmoid(l)) -> -1 as D(G(z)) -> 0; the saturating loss' gradient would go to 0.
    fake = torch.tensor([-30.0], dtype=torch.float64, requires_grad=True)
    (non_saturating,) = torch.autograd.grad(objectives.generator_loss(fake), fake)
    (saturating,) = torch.autograd.grad(torch.log1p(-torch.sigmoid(fake)).mean(), fake)
    assert non_saturating.item() == pytest.approx(-1.0)
    assert abs(saturating.item()) < 1e-12
