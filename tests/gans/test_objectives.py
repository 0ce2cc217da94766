"""The losses against values computed by hand, and against the formulas as the assignment writes them."""

import pytest
import torch
from torch import nn

from fashion_dgm.gans import objectives
from fashion_dgm.gans.networks import Discriminator
from fashion_dgm.training.code_version import reached_code

REAL = torch.tensor([0.0, 2.0, -1.0], dtype=torch.float64)
FAKE = torch.tensor([1.0, -3.0, 0.5], dtype=torch.float64)


D_REAL, D_FAKE = torch.sigmoid(REAL), torch.sigmoid(FAKE)
# By hand, and as the assignment writes them; what each says of 1/2 and of its gradient is in tests/theory.
VALUES = {
    "discriminator_loss": ((REAL, FAKE), -D_REAL.log().mean() - (1 - D_FAKE).log().mean()),
    "generator_loss": ((FAKE,), -D_FAKE.log().mean()),
    "saturating_generator_loss": ((FAKE,), (1 - D_FAKE).log().mean()),
    "critic_loss": ((REAL, FAKE), -1 / 3 + -1.5 / 3),
    "critic_generator_loss": ((FAKE,), 1.5 / 3),
    "wasserstein_estimate": ((REAL, FAKE), 1 / 3 + 1.5 / 3),
    "least_squares_loss": ((REAL, FAKE), (1 + 1 + 4) / 6 + (1 + 9 + 0.25) / 6),
    "least_squares_generator_loss": ((FAKE,), (0 + 16 + 0.25) / 6),
    "hinge_loss": ((REAL, FAKE), (1 + 0 + 2) / 3 + (2 + 0 + 1.5) / 3),
}


@pytest.mark.parametrize("name", VALUES)
def test_losses_are_their_formulas(name: str) -> None:
    scores, expected = VALUES[name]
    assert getattr(objectives, name)(*scores).item() == pytest.approx(float(expected))


@pytest.mark.parametrize("logit", [-200.0, 200.0])
def test_certain_discriminator_gives_finite_losses_and_gradients(logit: float) -> None:
    real = torch.full((2,), logit, requires_grad=True)
    fake = torch.full((2,), logit, requires_grad=True)
    loss = objectives.discriminator_loss(real, fake) + objectives.generator_loss(fake)
    loss.backward()
    assert loss.isfinite()
    assert real.grad is not None and real.grad.isfinite().all()
    assert fake.grad is not None and fake.grad.isfinite().all()


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0, 3.0])
def test_penalty_of_a_linear_critic_and_its_gradient(slope: float) -> None:
    # D(x) = <w, x> with |w| = slope.
    critic = nn.Sequential(nn.Flatten(), nn.Linear(784, 1), nn.Flatten(0))
    with torch.no_grad():
        critic[1].weight.mul_(slope / critic[1].weight.norm())
    norms = objectives.gradient_norms(critic, torch.rand(5, 1, 28, 28))
    torch.testing.assert_close(norms, torch.full((5,), slope))
    penalty = objectives.gradient_penalty(norms)
    assert penalty.item() == pytest.approx((slope - 1) ** 2, abs=1e-6)
    # d/dw (|w| - 1)^2 = 2 (|w| - 1) w / |w|, and 0 where there is no direction.
    penalty.backward()
    weight = critic[1].weight
    expected = 2 * (slope - 1) * weight.detach() / max(slope, 1e-9)
    torch.testing.assert_close(weight.grad, expected, rtol=1e-4, atol=1e-6)


def test_points_lie_on_the_segments() -> None:
    real, fake = torch.rand(2, 3, 1, 28, 28)
    mix = torch.tensor([0.0, 1.0, 0.25]).view(3, 1, 1, 1)
    expected = torch.stack([fake[0], real[1], 0.25 * real[2] + 0.75 * fake[2]])
    torch.testing.assert_close(objectives.interpolates(real, fake, mix), expected)
    assert objectives.interpolates(real, fake.bfloat16(), mix).dtype == torch.float32


def test_gradient_norms_are_those_of_each_image_alone_and_float32_under_autocast() -> None:
    critic = Discriminator(4, normalisation="layer")
    points = torch.rand(4, 1, 28, 28)
    together = objectives.gradient_norms(critic, points)
    with torch.autocast("cpu", torch.bfloat16):
        alone = torch.cat([objectives.gradient_norms(critic, point[None]) for point in points])
    assert alone.dtype == torch.float32
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-7)


# How often each of four images is real, and how often it is generated.
P, Q = torch.tensor([5, 3, 1, 1]), torch.tensor([1, 1, 2, 6])


def scores_of(scores: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The scores of ten real and ten generated images, those of equal images being equal."""
    return scores.repeat_interleave(P), scores.repeat_interleave(Q)


def test_least_squares_discriminator_is_best_at_the_posterior() -> None:
    """The minimum is at `p / (p + q)`, as for the logistic loss, and is `sum p q / (p + q) / 2` (Mao et al., eq. 3)."""
    p, q = P / 10, Q / 10
    best = (p / (p + q)).double().requires_grad_()
    loss = objectives.least_squares_loss(*scores_of(best))
    (gradient,) = torch.autograd.grad(loss, best)
    assert gradient.abs().max() < 1e-7
    assert loss.item() == pytest.approx(float((p * q / (p + q)).sum() / 2))


def test_hinge_discriminator_is_best_at_the_sign_and_measures_total_variation() -> None:
    """No scores have a lower loss than `sign(p - q)`, whose loss is `2 - 2 TV(p, q)` (Lim and Ye, 2017)."""
    best = torch.sign(P - Q).double()
    loss = objectives.hinge_loss(*scores_of(best))
    assert loss.item() == pytest.approx(2 - float((P - Q).abs().sum()) / 10)
    torch.manual_seed(0)
    for scale in (0.01, 0.3, 3.0):
        others = best + scale * torch.randn(200, 4, dtype=torch.float64)
        assert all(objectives.hinge_loss(*scores_of(other)) >= loss - 1e-12 for other in others)


@pytest.mark.parametrize("name", objectives.OBJECTIVES)
def test_a_generator_gains_by_higher_scores(name: str) -> None:
    """Each generator's loss falls where the score of a generated image rises towards that of real images."""
    scores = torch.linspace(-1, 0.9, 5, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(objectives.objective(name).generator(scores), scores)
    assert (gradient < 0).all()


@pytest.mark.parametrize("name", objectives.OBJECTIVES)
def test_the_code_of_an_objective_is_found_for_fingerprints(name: str) -> None:
    losses = {"objectives:discriminator_loss", "objectives:critic_loss", "objectives:least_squares_loss"}
    reached = {key.removeprefix("fashion_dgm.gans.") for key in reached_code(objectives.code_of(name))} & losses
    mine = f"objectives:{objectives.objective(name).discriminator.__name__}"
    assert reached == {mine} & losses
