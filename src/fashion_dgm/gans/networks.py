"""The assignment's generator and discriminator: 4x4 (transposed) convolutions, all the way from 1x1 to 28x28.

BatchNorm is the assignment's; other normalisations, or none, are for its variants.

References:
    Radford, Metz and Chintala, Unsupervised Representation Learning with DCGANs (2016): layers and initialisation.
"""

# What BatchNorm makes of the discriminator's loss: docs/theory/gan.md.

import copy

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from fashion_dgm.config import AdversarialConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.gans.convolution import Conv2d, ConvTranspose2d
from fashion_dgm.gans.lipschitz import normalise_spectrally
from fashion_dgm.training.seeds import generator

__all__ = ["Discriminator", "Generator", "averaged_generator"]


class Generator(nn.Module):
    """Maps latents to images through 4x4 transposed convolutions, BatchNorm, ReLU and a final sigmoid.

    A stride of 1 without padding takes 4x4 to 7x7, which 28 needs and powers of two never meet.

    Arguments:
        latent_dim: size of the latent, 100 in the assignment.
        width: channels of the last hidden layer; earlier ones have twice and four times as many.
        normalisation: "batch" or "none".
    """

    def __init__(self, latent_dim: int, width: int, normalisation: str = "batch") -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.layers = nn.Sequential(
            *_up(latent_dim, 4 * width, 1, 0, normalisation),  # N x 4W x 4 x 4
            *_up(4 * width, 2 * width, 1, 0, normalisation),  # N x 2W x 7 x 7
            *_up(2 * width, width, 2, 1, normalisation),  # N x W x 14 x 14
            ConvTranspose2d(width, 1, 4, stride=2, padding=1),  # N x 1 x 28 x 28
            nn.Sigmoid(),
        )
        self.apply(_initialise)

    def forward(self, z: Tensor) -> Tensor:
        """Returns images in `[0, 1]`, `(N, 1, 28, 28)`, of latents `(N, latent_dim)`."""
        return self.layers(z[:, :, None, None])

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator | None = None, batch_size: int = 512) -> Tensor:
        """Draws `n` images in `[0, 1]`, float32 `(n, 1, 28, 28)`, with the running statistics of BatchNorm.

        Raises:
            FashionDGMError: if `n` is less than 1.
        """
        if n < 1:
            raise FashionDGMError(f"cannot draw {n} samples; ask for at least 1")
        device = next(self.parameters()).device
        z = torch.randn(n, self.latent_dim, generator=generator).to(device)
        was_training = self.training
        self.eval()
        images = torch.cat([self(part) for part in z.split(batch_size)])
        self.train(was_training)
        return images


class Discriminator(nn.Module):
    """Maps images to one score through 4x4 strided convolutions, BatchNorm and LeakyReLU.

    The score is a logit for the GAN (whose losses apply the sigmoid, see `objectives`) and the critic's unbounded value
    for the WGAN: the same network, as the assignment asks.

    Arguments:
        width: channels of the first layer; later ones have twice and four times as many.
        normalisation: "batch", "layer" (over channels and pixels of an image, with a gain and a bias a channel) or
            "none".
        power_iterations: of spectral normalisation; None leaves the weights as they are.
    """

    def __init__(self, width: int, normalisation: str = "batch", power_iterations: int | None = None) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Conv2d(1, width, 4, stride=2, padding=1),  # N x W x 14 x 14; no BatchNorm next to pixels (DCGAN)
            nn.LeakyReLU(0.2, inplace=True),
            *_down(width, 2 * width, 2, 1, normalisation),  # N x 2W x 7 x 7
            *_down(2 * width, 4 * width, 1, 0, normalisation),  # N x 4W x 4 x 4
            Conv2d(4 * width, 1, 4),  # N x 1 x 1 x 1
        )
        self.apply(_initialise)
        if power_iterations is not None:
            normalise_spectrally(self, power_iterations)

    def forward(self, x: Tensor) -> Tensor:
        """Returns float32 scores `(N,)` of images in `[0, 1]`, `(N, 1, 28, 28)`."""
        return self.layers(x).flatten().float()

    def probability(self, x: Tensor) -> Tensor:
        """Returns `D(x) = sigmoid(score)`, `(N,)` in `[0, 1]`: the GAN's probability that `x` is real."""
        return torch.sigmoid(self(x))


def _up(inputs: int, outputs: int, stride: int, padding: int, normalisation: str) -> tuple[nn.Module, ...]:
    # Normalisation brings a bias of its own.
    bias = normalisation == "none"
    convolution = ConvTranspose2d(inputs, outputs, 4, stride=stride, padding=padding, bias=bias)
    return convolution, *_normalised(outputs, normalisation), nn.ReLU(inplace=True)


def _down(inputs: int, outputs: int, stride: int, padding: int, normalisation: str) -> tuple[nn.Module, ...]:
    bias = normalisation == "none"
    convolution = Conv2d(inputs, outputs, 4, stride=stride, padding=padding, bias=bias)
    return convolution, *_normalised(outputs, normalisation), nn.LeakyReLU(0.2, inplace=True)


def _normalised(channels: int, normalisation: str) -> tuple[nn.Module, ...]:
    return {
        "batch": lambda: (nn.BatchNorm2d(channels),),
        "layer": lambda: (nn.GroupNorm(1, channels),),
        "none": lambda: (),
    }[normalisation]()


def _initialise(module: nn.Module) -> None:
    """DCGAN's initialisation: weights N(0, 0.02), BatchNorm gains N(1, 0.02)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


@torch.no_grad()
def averaged_generator(average: Generator, config: AdversarialConfig) -> Generator:
    """Returns a copy of a moving average of weights in evaluation mode, with BatchNorm statistics of its own.

    Those of the generator in training belong to other activations than the averaged weights have while it still moves
    (Izmailov et al., 2018, "Averaging weights leads to wider optima and better generalization", section 3.2). Its own
    are means over batches as large as those of training, of about `config.records.samples` latents in all, the same ones
    every time.
    """
    network = copy.deepcopy(average)
    batches = max(1, config.records.samples // config.batch_size)
    latents = torch.randn(
        batches * config.batch_size, config.latent_dim, generator=generator(config.seed, "batch norm")
    ).to(next(network.parameters()).device)
    update_bn(latents.split(config.batch_size), network)
    return network.eval()
