"""The claims of docs/theory/gan.md, with the project's own loss.

Distributions live on a few points with integer weights, so that the loss, a mean over samples, is an exact expectation.
"""

import math

import pandas as pd
import pytest
import torch
from torch import Tensor

from fashion_dgm.gans import objectives
from fashion_dgm.gans.networks import Discriminator
from tests.conftest import ROOT
from tests.theory.conftest import jensen_shannon, minimise

REAL, FAKE = torch.tensor([8, 4, 2, 1, 5]), torch.tensor([1, 6, 3, 5, 5])


def loss(logits: Tensor, real: Tensor, fake: Tensor) -> Tensor:
    """The discriminator's loss if it gives each point one logit."""
    return objectives.discriminator_loss(logits.repeat_interleave(real), logits.repeat_interleave(fake))


def fraction(counts: Tensor) -> Tensor:
    return counts.double() / counts.sum()


def test_training_finds_the_density_ratio() -> None:
    """docs/theory/gan.md#the-optimal-discriminator"""
    logits = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    minimise(lambda: loss(logits, REAL, FAKE), [logits])
    p, g = fraction(REAL), fraction(FAKE)
    torch.testing.assert_close(logits.detach().sigmoid(), p / (p + g), rtol=0, atol=1e-6)
    torch.testing.assert_close(logits.detach(), (p / g).log(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_optimal_loss_is_two_log_two_minus_two_js_and_any_other_bounds_it(seed: int) -> None:
    """docs/theory/gan.md#jensenshannon-at-the-optimum and docs/theory/gan.md#any-discriminator-bounds-the-divergence

    And docs/theory/elbo.md#comparison-of-flows-vaes-and-gans
    """
    generator = torch.Generator().manual_seed(seed)
    real, fake = torch.randint(1, 30, (2, 6), generator=generator)
    p, g = fraction(real), fraction(fake)
    js = jensen_shannon(p, g)
    optimal = loss((p / g).log(), real, fake)
    assert optimal.item() == pytest.approx(2 * math.log(2) - 2 * js.item(), abs=1e-12)
    assert 0 < js < math.log(2)
    assert loss(torch.zeros(6, dtype=torch.float64), real, real).item() == pytest.approx(2 * math.log(2))
    for scale in (0.1, 1.0, 5.0):
        logits = scale * torch.randn(6, generator=generator, dtype=torch.float64)
        assert math.log(2) - loss(logits, real, fake) / 2 < js


def test_generator_against_the_optimal_discriminator_finds_the_data() -> None:
    """docs/theory/gan.md#the-generators-optimum"""
    p = fraction(REAL)
    weights = torch.tensor([2.0, -1.0, 0.0, 1.0, -2.0], dtype=torch.float64, requires_grad=True)

    def value() -> Tensor:
        return 2 * jensen_shannon(p, weights.softmax(0)) - 2 * math.log(2)

    start = value().item()
    minimise(value, [weights])
    g = weights.detach().softmax(0)
    torch.testing.assert_close(g, p, rtol=0, atol=1e-4)
    torch.testing.assert_close(p / (p + g), torch.full((5,), 0.5, dtype=torch.float64), rtol=0, atol=1e-3)
    assert start > value().item() == pytest.approx(-2 * math.log(2), abs=1e-8)


def test_densities_with_respect_to_the_mixture_need_no_volume() -> None:
    """docs/theory/gan.md#the-optimal-discriminator"""
    # Points that only one of the two distributions has, and one that both have: p + g = 2 and D* = p / 2.
    real, fake = torch.tensor([3, 5, 0, 0]), torch.tensor([0, 2, 1, 5])
    mixture = (fraction(real) + fraction(fake)) / 2
    p, g = fraction(real) / mixture, fraction(fake) / mixture
    torch.testing.assert_close(p + g, torch.full((4,), 2.0, dtype=torch.float64))
    optimal = torch.logit(p / 2, eps=1e-15)
    js = jensen_shannon(fraction(real), fraction(fake))
    assert loss(optimal, real, fake).item() == pytest.approx(2 * math.log(2) - 2 * js.item(), abs=1e-12)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        other = optimal + 0.1 * torch.randn(4, generator=generator, dtype=torch.float64)
        assert loss(other, real, fake) > loss(optimal, real, fake) - 1e-12


BATCH, WHITE_REAL, WHITE_FAKE = 16, 0.5, 0.75


def batches(white: float) -> Tensor:
    """Probabilities that 0, ..., BATCH of as many images are white, `(BATCH + 1,)`."""
    count = torch.arange(BATCH + 1, dtype=torch.float64)
    return torch.distributions.Binomial(BATCH, torch.tensor(white, dtype=torch.float64)).log_prob(count).exp()


@torch.no_grad()
def exact_bound(discriminator: Discriminator) -> float:
    """`log 2 - L_D / 2` for black and white images, by the sum over all batches; images of a batch are independent."""
    total = 0.0
    for white, sign in ((WHITE_REAL, -1), (WHITE_FAKE, 1)):
        for number, probability in enumerate(batches(white)):
            logits = discriminator(images(number))
            total += float(probability * torch.nn.functional.softplus(sign * logits.double()).mean())
    return math.log(2) - total / 2


def images(white: int) -> Tensor:
    return (torch.arange(BATCH) < white).float()[:, None, None, None].expand(BATCH, 1, 28, 28)


@pytest.mark.parametrize("normalisation", ["batch", "none"])
def test_with_batchnorm_the_bound_is_of_batches(normalisation: str) -> None:
    """docs/theory/gan.md#with-batchnorm-it-is-a-bound-for-batches"""
    of_images = jensen_shannon(
        *(torch.tensor([1 - w, w], dtype=torch.float64) for w in (WHITE_REAL, WHITE_FAKE))
    ).item()
    of_batches = jensen_shannon(batches(WHITE_REAL), batches(WHITE_FAKE)).item()
    assert of_images < of_batches < BATCH * of_images
    rng = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        discriminator = Discriminator(width=4, normalisation=normalisation)
    optimizer = torch.optim.Adam(discriminator.parameters(), 1e-2)
    for _ in range(200):
        real, fake = (
            images(int((torch.rand(BATCH, generator=rng) < white).sum())) for white in (WHITE_REAL, WHITE_FAKE)
        )
        value = objectives.discriminator_loss(discriminator(real), discriminator(fake))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    bound = exact_bound(discriminator.train())
    if normalisation == "batch":
        # Trained as GANs are here, it exceeds what a discriminator of single images can have.
        assert 2 * of_images < bound <= of_batches
        assert bound / BATCH <= of_images
    else:
        assert 0.5 * of_images < bound <= of_images
    assert exact_bound(discriminator.eval()) <= of_images


def test_bounds_of_the_published_run() -> None:
    """docs/theory/gan.md#with-batchnorm-it-is-a-bound-for-batches"""
    last = pd.read_csv(ROOT / "docs" / "results" / "hour" / "gan_history.csv").iloc[-1]
    columns = ("loss_discriminator", "loss_discriminator_seen", "loss_discriminator_held_out")
    losses = [round(float(last[column]), 2) for column in columns]
    assert last["epoch"] == 100
    assert losses == [0.63, 0.94, 0.98]
    assert [round(math.log(2) - float(last[column]) / 2, 2) for column in columns] == [0.38, 0.22, 0.2]
