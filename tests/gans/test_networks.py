import pytest
import torch
from torch import nn

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.gans.networks import Discriminator, Generator


def test_generator_is_as_assigned() -> None:
    generator = Generator(latent_dim=100, width=64)
    convolutions = [m for m in generator.modules() if isinstance(m, nn.ConvTranspose2d)]
    assert all(m.kernel_size == (4, 4) for m in convolutions)
    assert sum(isinstance(m, nn.BatchNorm2d) for m in generator.modules()) == len(convolutions) - 1
    assert sum(isinstance(m, nn.ReLU) for m in generator.modules()) == len(convolutions) - 1
    images = generator(torch.randn(3, 100))
    assert images.shape == (3, 1, 28, 28)
    assert images.min() >= 0 and images.max() <= 1


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
    torch.testing.assert_close(discriminator.probability(images), torch.sigmoid(discriminator(images)))


def test_dcgan_initialisation() -> None:
    weight = Generator(latent_dim=100, width=64).layers[3].weight
    assert weight.mean().abs() < 1e-3
    assert weight.std().item() == pytest.approx(0.02, rel=0.02)


def test_samples_depend_on_the_random_generator_alone() -> None:
    network = Generator(latent_dim=10, width=4)
    first = network.sample(7, torch.Generator().manual_seed(1), batch_size=3)
    again = network.sample(7, torch.Generator().manual_seed(1), batch_size=7)
    other = network.sample(7, torch.Generator().manual_seed(2))
    torch.testing.assert_close(first, again)
    assert not torch.equal(first, other)
    assert network.training


def test_no_samples_is_an_error() -> None:
    with pytest.raises(FashionDGMError, match="at least 1"):
        Generator(latent_dim=10, width=4).sample(0)


@pytest.mark.parametrize("normalisation", ["layer", "none"])
def test_score_without_batch_norm_is_that_of_the_image_alone(normalisation: str) -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(4, normalisation)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in discriminator.modules())
    images = torch.rand(5, 1, 28, 28)
    alone = torch.cat([discriminator(image[None]) for image in images])
    torch.testing.assert_close(discriminator(images), alone, rtol=1e-4, atol=1e-6)
    with_batch = Discriminator(4)
    assert not torch.allclose(with_batch(images)[:2], with_batch(images[:2]), rtol=1e-3)


def test_generator_without_normalisation_has_biases_instead() -> None:
    generator = Generator(10, 4, normalisation="none")
    assert not any(isinstance(m, nn.BatchNorm2d) for m in generator.modules())
    convolutions = [m for m in generator.modules() if isinstance(m, nn.ConvTranspose2d)]
    assert all(m.bias is not None for m in convolutions)
