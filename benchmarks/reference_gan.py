"""The loop that everyone copies, for GAN, WGAN and WGAN-GP.

It stands for PyTorch's DCGAN tutorial (two backward passes of the discriminator against ones and zeros, `BCELoss` over a
sigmoid, `.item()` of every metric at every step, two loader processes) and for the widely copied `wgan.py` and
`wgan_gp.py` of PyTorch-GAN (RMSprop, each parameter clamped in a loop, a generator step every `n_critic` batches). Images
come as in torchvision's `FashionMNIST`: one by one through PIL and `ToTensor`, then collated. Eager, float32, contiguous
NCHW, optimizers as their constructors make them. Networks, batch size, learning rate and what is computed are this
project's, so that only the way of computing differs.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor, nn, optim
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from fashion_dgm.config import AdversarialConfig, ClipConfig, GradientPenaltyConfig, WGANConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.gans.networks import Discriminator, Generator

__all__ = ["PlainAdversarial", "PlainGAN", "PlainWGAN", "PlainWGANGP", "TransformedImages"]


class TransformedImages(Dataset[tuple[Tensor, int]]):
    """Images and labels one at a time, as `torchvision.datasets.MNIST.__getitem__` gives them."""

    def __init__(self, images: ImageSet, transform: Callable[[Image.Image], Tensor]) -> None:
        self.data = torch.from_numpy(images.images[:, 0])
        self.targets = torch.from_numpy(images.labels)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Returns an image `(1, 28, 28)` in `[0, 1]` and its label."""
        image, target = self.data[index], int(self.targets[index])
        return self.transform(Image.fromarray(image.numpy())), target


class PlainAdversarial(ABC):
    """What all loops share."""

    def __init__(self, config: AdversarialConfig, device: torch.device) -> None:
        self.config, self.device = config, device
        normalisation = config.normalisation
        self.generator = Generator(config.latent_dim, config.width, normalisation.generator).to(device)
        self.discriminator = Discriminator(config.width, normalisation.discriminator).to(device)
        self.history: list[dict[str, float]] = []

    @abstractmethod
    def step(self, images: Tensor) -> dict[str, float]:
        """Learns from floats in `[0, 1]`, `(B, 1, 28, 28)`, wherever they lie."""

    def epoch(self, images: ImageSet, workers: int, after_step: Callable[[], None] = lambda: None) -> None:
        """Goes once over shuffled images, loaded by as many processes."""
        loader = DataLoader(
            TransformedImages(images, transforms.Compose([transforms.ToTensor()])),
            batch_size=self.config.batch_size,
            shuffle=True,
            num_workers=workers,
            drop_last=True,
        )
        for batch, _ in loader:
            self.history.append(self.step(batch))
            after_step()

    def noise(self, count: int) -> Tensor:
        return torch.randn(count, self.config.latent_dim, device=self.device)


class PlainGAN(PlainAdversarial):
    """As the DCGAN tutorial."""

    def __init__(self, config: AdversarialConfig, device: torch.device) -> None:
        super().__init__(config, device)
        self.criterion = nn.BCELoss()
        rate, betas = config.optimizer.learning_rate, getattr(config.optimizer, "betas", (0.9, 0.999))
        self.optimizer_d = optim.Adam(self.discriminator.parameters(), lr=rate, betas=betas)
        self.optimizer_g = optim.Adam(self.generator.parameters(), lr=rate, betas=betas)

    def step(self, images: Tensor) -> dict[str, float]:
        real = images.to(self.device)
        label = torch.full((real.size(0),), 1.0, device=self.device)

        self.discriminator.zero_grad()
        output = self.discriminator.probability(real)
        error_real = self.criterion(output, label)
        error_real.backward()
        d_x = output.mean().item()
        fake = self.generator(self.noise(real.size(0)))
        label.fill_(0.0)
        output = self.discriminator.probability(fake.detach())
        error_fake = self.criterion(output, label)
        error_fake.backward()
        d_g_z1 = output.mean().item()
        error_d = error_real + error_fake
        self.optimizer_d.step()

        self.generator.zero_grad()
        label.fill_(1.0)
        output = self.discriminator.probability(fake)
        error_g = self.criterion(output, label)
        error_g.backward()
        d_g_z2 = output.mean().item()
        self.optimizer_g.step()
        return {
            "loss_discriminator": error_d.item(),
            "loss_generator": error_g.item(),
            "d_x": d_x,
            "d_g_z1": d_g_z1,
            "d_g_z2": d_g_z2,
        }


class PlainWGAN(PlainAdversarial):
    """As `wgan.py`; the generator's turn is the last of every `n_critic` batches, as in this project."""

    config: WGANConfig

    def __init__(self, config: WGANConfig, device: torch.device) -> None:
        super().__init__(config, device)
        rate = config.optimizer.learning_rate
        self.optimizer_d = optim.RMSprop(self.discriminator.parameters(), lr=rate)
        self.optimizer_g = optim.RMSprop(self.generator.parameters(), lr=rate)
        self.batches_done = 0

    def step(self, images: Tensor) -> dict[str, float]:
        real = images.to(self.device)

        self.optimizer_d.zero_grad()
        fake = self.generator(self.noise(real.size(0))).detach()
        loss_d = -torch.mean(self.discriminator(real)) + torch.mean(self.discriminator(fake))
        loss_d.backward()
        self.optimizer_d.step()
        assert isinstance(self.config.lipschitz, ClipConfig)
        bound = self.config.lipschitz.bound
        for parameter in self.discriminator.parameters():
            parameter.data.clamp_(-bound, bound)
        return {"loss_discriminator": loss_d.item(), **self.generator_turn(real.size(0))}

    def generator_turn(self, count: int) -> dict[str, float]:
        self.batches_done += 1
        if self.batches_done % self.config.n_critic:
            return {}
        self.optimizer_g.zero_grad()
        loss_g = -torch.mean(self.discriminator(self.generator(self.noise(count))))
        loss_g.backward()
        self.optimizer_g.step()
        return {"loss_generator": loss_g.item()}


class PlainWGANGP(PlainWGAN):
    """As `wgan_gp.py`, whose generator's turn is the same, with a moving average of weights."""

    def __init__(self, config: WGANConfig, device: torch.device) -> None:
        super().__init__(config, device)
        rate, betas = config.optimizer.learning_rate, getattr(config.optimizer, "betas", (0.9, 0.999))
        self.optimizer_d = optim.Adam(self.discriminator.parameters(), lr=rate, betas=betas)
        self.optimizer_g = optim.Adam(self.generator.parameters(), lr=rate, betas=betas)
        self.average = copy.deepcopy(self.generator)

    def step(self, images: Tensor) -> dict[str, float]:
        real = images.to(self.device)

        self.optimizer_d.zero_grad()
        fake = self.generator(self.noise(real.size(0)))
        validity_real, validity_fake = self.discriminator(real), self.discriminator(fake.detach())
        penalty = self.penalty(real, fake.detach())
        assert isinstance(self.config.lipschitz, GradientPenaltyConfig)
        loss_d = -torch.mean(validity_real) + torch.mean(validity_fake) + self.config.lipschitz.weight * penalty
        loss_d.backward()
        self.optimizer_d.step()
        return {
            "loss_discriminator": loss_d.item(),
            "gradient_penalty": penalty.item(),
            **self.generator_turn(real.size(0)),
        }

    def generator_turn(self, count: int) -> dict[str, float]:
        found = super().generator_turn(count)
        if found:
            decay = self.config.ema_decay or 0.0
            for averaged, parameter in zip(self.average.parameters(), self.generator.parameters(), strict=True):
                averaged.data.mul_(decay).add_(parameter.data, alpha=1 - decay)
        return found

    def penalty(self, real: Tensor, fake: Tensor) -> Tensor:
        alpha = torch.rand(real.size(0), 1, 1, 1, device=self.device)
        interpolates = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
        validity = self.discriminator(interpolates)
        (gradients,) = torch.autograd.grad(
            validity, interpolates, torch.ones_like(validity), create_graph=True, retain_graph=True
        )
        return ((gradients.view(real.size(0), -1).norm(2, dim=1) - 1) ** 2).mean()
