"""One training step of the GAN and of the WGAN."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from fashion_dgm.config import GANConfig, WGANConfig
from fashion_dgm.data.images import to_unit_interval
from fashion_dgm.gans import objectives
from fashion_dgm.gans.networks import Discriminator, Generator
from fashion_dgm.training.distributed import average_gradients
from fashion_dgm.training.optimizers import make_optimizer
from fashion_dgm.training.speed import accelerate

__all__ = ["AdversarialStep", "GANStep", "WGANStep"]


class AdversarialStep(ABC):
    """What GAN and WGAN share: two networks, two optimizers, mixed precision."""

    def __init__(self, config: GANConfig, device: torch.device, precision: torch.dtype) -> None:
        self.config, self.device, self.precision = config, device, precision
        self.generator = accelerate(Generator(config.latent_dim, config.width), config.speed, device)
        self.discriminator = accelerate(Discriminator(config.width), config.speed, device)
        fused = config.speed.fused_optimizer
        self.generator_optimizer = make_optimizer(config.optimizer, self.generator.parameters(), fused)
        self.discriminator_optimizer = make_optimizer(config.optimizer, self.discriminator.parameters(), fused)

    @abstractmethod
    def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Learns from a batch, each family in its own way."""

    def networks(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator}

    def state_dict(self) -> dict[str, Any]:
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
        }

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == torch.bfloat16)

    def _latents(self, n: int) -> Tensor:
        return torch.randn(n, self.config.latent_dim, device=self.device)

    def _descend(self, loss: Tensor, network: nn.Module, optimizer: torch.optim.Optimizer) -> Tensor:
        """Takes one optimizer step down `loss` and returns the norm of the gradient."""
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(network.parameters())
        norm = torch.nn.utils.get_total_norm(_gradients(network.parameters()))
        optimizer.step()
        return norm


class GANStep(AdversarialStep):
    """A discriminator and a generator step of the non-saturating GAN (Goodfellow et al., 2014, algorithm 1, k = 1)."""

    def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Learns from uint8 images `(B, 1, 28, 28)`; labels are not used."""
        real = to_unit_interval(images)
        with self._autocast():
            fake = self.generator(self._latents(len(real)))
            real_logits, fake_logits = self.discriminator(real), self.discriminator(fake.detach())
        loss_discriminator = objectives.discriminator_loss(real_logits, fake_logits)
        norm_discriminator = self._descend(loss_discriminator, self.discriminator, self.discriminator_optimizer)

        # The discriminator's weights need no gradient here, only its input does: a third of the work saved.
        self.discriminator.requires_grad_(False)
        with self._autocast():
            updated_logits = self.discriminator(fake)
        loss_generator = objectives.generator_loss(updated_logits)
        norm_generator = self._descend(loss_generator, self.generator, self.generator_optimizer)
        self.discriminator.requires_grad_(True)
        return {
            "loss_discriminator": loss_discriminator.detach(),
            "loss_generator": loss_generator.detach(),
            "score_real": real_logits.detach().mean(),
            "score_fake": fake_logits.detach().mean(),
            "probability_real": torch.sigmoid(real_logits.detach()).mean(),
            "probability_fake": torch.sigmoid(fake_logits.detach()).mean(),
            "gradient_norm_discriminator": norm_discriminator,
            "gradient_norm_generator": norm_generator,
        }


class WGANStep(AdversarialStep):
    """One critic step of the WGAN, and a generator step at every `n_critic`-th (Arjovsky et al., 2017, algorithm 1)."""

    config: WGANConfig

    def __init__(self, config: WGANConfig, device: torch.device, precision: torch.dtype) -> None:
        super().__init__(config, device, precision)
        self.critic_steps = 0

    def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Learns from uint8 images `(B, 1, 28, 28)`; labels are not used."""
        real = to_unit_interval(images)
        with self._autocast():
            with torch.no_grad():
                fake = self.generator(self._latents(len(real)))
            real_scores, fake_scores = self.discriminator(real), self.discriminator(fake)
        loss_critic = objectives.critic_loss(real_scores, fake_scores)
        norm_critic = self._descend(loss_critic, self.discriminator, self.discriminator_optimizer)
        clipped = clip_weights(self.discriminator, self.config.clip)
        metrics = {
            "loss_discriminator": loss_critic.detach(),
            "score_real": real_scores.detach().mean(),
            "score_fake": fake_scores.detach().mean(),
            "wasserstein_estimate": objectives.wasserstein_estimate(real_scores, fake_scores).detach(),
            "clipped_share": clipped,
            "gradient_norm_discriminator": norm_critic,
        }
        self.critic_steps += 1
        if self.critic_steps % self.config.n_critic == 0:
            self.discriminator.requires_grad_(False)
            with self._autocast():
                scores = self.discriminator(self.generator(self._latents(len(real))))
            loss_generator = objectives.critic_generator_loss(scores)
            metrics["gradient_norm_generator"] = self._descend(loss_generator, self.generator, self.generator_optimizer)
            metrics["loss_generator"] = loss_generator.detach()
            self.discriminator.requires_grad_(True)
        return metrics

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "critic_steps": self.critic_steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self.critic_steps = state["critic_steps"]


@torch.no_grad()
def clip_weights(critic: nn.Module, bound: float) -> Tensor:
    """Clamps every parameter of `critic` to `[-bound, bound]` in place and returns the share that lies at the bound.

    BatchNorm's gains and biases are parameters too and are clamped with the rest, as in the authors' code.
    """
    parameters: list[Tensor] = list(critic.parameters())
    torch._foreach_clamp_min_(parameters, -bound)
    torch._foreach_clamp_max_(parameters, bound)
    at_bound = torch.stack([(parameter.abs() == bound).sum() for parameter in parameters]).sum()
    return at_bound / sum(parameter.numel() for parameter in parameters)


def _gradients(parameters: Iterable[nn.Parameter]) -> list[Tensor]:
    return [parameter.grad for parameter in parameters if parameter.grad is not None]
