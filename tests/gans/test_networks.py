import pytest
import torch
import torch.nn.functional as F
from torch import nn

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.gans import objectives
from fashion_dgm.gans.networks import Discriminator, Generator


def test_generator_is_as_assigned() -> None:
    generator = Generator(latent_dim=100, width=64)
    convolutions = [m for m in generator.modules() if isinstance(m, nn.ConvTranspose2d)]
    assert all(m.kernel_size == (4, 4) for m in convolutions)
    assert sum(isinstance(m, nn.BatchNorm2d) for m in generator.modules()) == len(convolutions) - 1
    assert sum(isinstance(m, nn.ReLU) for m in generator.modules()) == len(convolutions) - 1
    assert generator(torch.randn(3, 100)).shape == (3, 1, 28, 28)
    # As DCGAN is initialised.
    weight = generator.layers[3].weight
    assert weight.mean().abs() < 1e-3 and weight.std().item() == pytest.approx(0.02, rel=0.02)
    # Without normalisation, biases do its work.
    plain = list(Generator(10, 4, normalisation="none").modules())
    assert not any(isinstance(m, nn.BatchNorm2d) for m in plain)
    assert all(m.bias is not None for m in plain if isinstance(m, nn.ConvTranspose2d))
    # Black and white are both within reach: what precedes the last layer is unbounded, and mapped on all of [0, 1].
    with torch.no_grad():
        extremes = [generator.layers[-1](torch.tensor(logit)) for logit in (-20.0, 0.0, 20.0)]
    assert [round(255 * value.item()) for value in extremes] == [0, 128, 255]
    assert isinstance(generator.layers[-2], nn.ConvTranspose2d)


@pytest.mark.slow
def test_every_pixel_depends_on_every_latent() -> None:
    generator = Generator(latent_dim=7, width=4).double().eval()
    latents = torch.randn(20, 7, dtype=torch.float64)
    jacobians = torch.stack([torch.func.jacfwd(lambda z: generator(z[None])[0, 0])(z) for z in latents])
    # At one latent, a ReLU may cut off the few ways to a corner.
    assert jacobians.shape == (20, 28, 28, 7) and (jacobians != 0).any(0).all()


@pytest.mark.parametrize("normalisation", ["batch", "layer", "none"])
def test_every_pixel_counts_for_the_score(normalisation: str) -> None:
    discriminator = Discriminator(4, normalisation).double().eval()
    images = torch.rand(3, 1, 28, 28, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(discriminator.layers(images).sum(), images)
    assert (gradient != 0).all()


def test_discriminator_is_as_assigned() -> None:
    discriminator = Discriminator(width=64)
    convolutions = [m for m in discriminator.modules() if isinstance(m, nn.Conv2d)]
    assert all(m.kernel_size == (4, 4) for m in convolutions)
    assert sum(isinstance(m, nn.LeakyReLU) for m in discriminator.modules()) == len(convolutions) - 1
    images = torch.rand(5, 1, 28, 28)
    assert discriminator(images).shape == (5,)
    # The critic is unbounded; the probability is the sigmoid of the same score.
    assert not any(isinstance(m, nn.Sigmoid) for m in discriminator.modules())
    discriminator.eval()
    # The loss is the cross-entropy of just this probability, so its sign and its scale are those of the loss.
    probability, fake = discriminator.probability(images), discriminator.probability(1 - images)
    expected = F.binary_cross_entropy(probability, torch.ones(5)) + F.binary_cross_entropy(fake, torch.zeros(5))
    loss = objectives.discriminator_loss(discriminator(images), discriminator(1 - images))
    torch.testing.assert_close(loss, expected)


def test_samples_depend_on_the_random_generator_alone() -> None:
    network = Generator(latent_dim=10, width=4)
    first = network.sample(7, torch.Generator().manual_seed(1), batch_size=3)
    again = network.sample(7, torch.Generator().manual_seed(1), batch_size=7)
    other = network.sample(7, torch.Generator().manual_seed(2))
    torch.testing.assert_close(first, again)
    assert not torch.equal(first, other)
    assert network.training
    with pytest.raises(FashionDGMError, match="at least 1"):
        network.sample(0)


@pytest.mark.parametrize("normalisation", ["layer", "none"])
def test_score_without_batch_norm_is_that_of_the_image_alone(normalisation: str) -> None:
    discriminator = Discriminator(4, normalisation)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in discriminator.modules())
    images = torch.rand(5, 1, 28, 28)
    alone = torch.cat([discriminator(image[None]) for image in images])
    torch.testing.assert_close(discriminator(images), alone, rtol=1e-4, atol=1e-6)
    with_batch = Discriminator(4)
    assert not torch.allclose(with_batch(images)[:2], with_batch(images[:2]), rtol=1e-3)
