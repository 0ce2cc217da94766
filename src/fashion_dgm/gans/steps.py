"""One training step of the GAN and of the WGAN.

A step takes one batch: the discriminator or critic learns from it, and the generator too where it is its turn. Nothing
waits for the device.
"""

# Derived in docs/theory/gan.md, docs/theory/vanishing-gradients.md and docs/theory/wasserstein.md.

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from fashion_dgm.config import (
    AdversarialConfig,
    ClipConfig,
    GANConfig,
    GradientPenaltyConfig,
    SpectralNormConfig,
    WGANConfig,
)
from fashion_dgm.data.images import to_unit_interval
from fashion_dgm.gans import objectives
from fashion_dgm.gans.lipschitz import clip_weights
from fashion_dgm.gans.networks import Discriminator, Generator
from fashion_dgm.training.distributed.ranks import average_gradients
from fashion_dgm.training.ema import EMA
from fashion_dgm.training.optimizers import make_optimizer
from fashion_dgm.training.speed import accelerate

__all__ = ["AdversarialStep", "GANStep", "WGANStep", "discriminator_arguments", "generator_arguments"]


def generator_arguments(config: AdversarialConfig) -> dict[str, Any]:
    """Returns the arguments of the `Generator` that `config` describes."""
    return {
        "latent_dim": config.latent_dim,
        "width": config.width,
        "normalisation": config.normalisation.generator,
    }


def discriminator_arguments(config: AdversarialConfig) -> dict[str, Any]:
    """Returns the arguments of the `Discriminator` that `config` describes."""
    lipschitz = config.lipschitz if isinstance(config, GANConfig | WGANConfig) else None
    return {
        "width": config.width,
        "normalisation": config.normalisation.discriminator,
        "power_iterations": lipschitz.power_iterations if isinstance(lipschitz, SpectralNormConfig) else None,
    }


class AdversarialStep(ABC):
    """What GAN and WGAN share: two networks, two optimizers, turns, mixed precision and a moving average."""

    def __init__(self, config: AdversarialConfig, device: torch.device, precision: torch.dtype) -> None:
        self.config, self.device, self.precision = config, device, precision
        self.generator = accelerate(Generator(**generator_arguments(config)), config.speed, device)
        self.discriminator = accelerate(Discriminator(**discriminator_arguments(config)), config.speed, device)
        fused = config.speed.fused_optimizer
        self.generator_optimizer = make_optimizer(config.optimizer, self.generator.parameters(), fused)
        self.discriminator_optimizer = make_optimizer(config.optimizer, self.discriminator.parameters(), fused)
        self.average = EMA(self.generator, config.ema_decay) if config.ema_decay is not None else None
        self.generator_steps = 0
        self.waited = 0

    @abstractmethod
    def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Learns from a batch, each family in its own way."""

    @abstractmethod
    def judged(self, seen: Tensor, unseen: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Returns diagnostics of the discriminator from its scores `(N,)` of training, held-out and generated images.

        All three under the same statistics of BatchNorm. Where held-out images score worse than training images, the
        discriminator overfits.
        """

    @abstractmethod
    def discriminator_steps(self) -> int:
        """How many steps the discriminator takes for the generator's next one."""

    def networks(self) -> dict[str, nn.Module]:
        networks = {"generator": self.generator, "discriminator": self.discriminator}
        return networks if self.average is None else {**networks, "average": self.average.average}

    def state_dict(self) -> dict[str, Any]:
        state = {name: part.state_dict() for name, part in self._parts().items()}
        return {**state, "generator_steps": self.generator_steps, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.generator_steps, self.waited = state["generator_steps"], state["waited"]

    def _parts(self) -> dict[str, Any]:
        parts = {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
        }
        return parts if self.average is None else {**parts, "average": self.average}

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == torch.bfloat16)

    def _latents(self, n: int) -> Tensor:
        return torch.randn(n, self.config.latent_dim, device=self.device)

    def _is_generators_turn(self) -> bool:
        """Counts a step of the discriminator, and says whether one of the generator follows it."""
        self.waited += 1
        return self.waited >= self.discriminator_steps()

    def _descend(self, loss: Tensor, network: nn.Module, optimizer: torch.optim.Optimizer) -> Tensor:
        """Takes one optimizer step down `loss` and returns the norm of the gradient."""
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(network.parameters())
        norm = torch.nn.utils.get_total_norm(_gradients(network.parameters()))
        optimizer.step()
        return norm

    def _descend_generator(self, loss: Tensor) -> dict[str, Tensor]:
        """Ends the generator's turn: its step, and that of its moving average."""
        norm = self._descend(loss, self.generator, self.generator_optimizer)
        if self.average is not None:
            self.average.update()
        self.generator_steps, self.waited = self.generator_steps + 1, 0
        return {"loss_generator": loss.detach(), "gradient_norm_generator": norm}


class GANStep(AdversarialStep):
    """A step of the discriminator, and at every `n_discriminator`-th one of the generator.

    Goodfellow et al., 2014, algorithm 1, with either of the generator's losses.
    """

    config: GANConfig

    def discriminator_steps(self) -> int:
        return self.config.n_discriminator

    def judged(self, seen: Tensor, unseen: Tensor, fake: Tensor) -> dict[str, Tensor]:
        return {
            "accuracy_seen": (seen > 0).float().mean(),
            "accuracy_held_out": (unseen > 0).float().mean(),
            "accuracy_generated": (fake < 0).float().mean(),
            "loss_discriminator_seen": objectives.discriminator_loss(seen, fake),
            "loss_discriminator_held_out": objectives.discriminator_loss(unseen, fake),
        }

    def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Learns from uint8 images `(B, 1, 28, 28)`; labels are not used."""
        real = to_unit_interval(images)
        turn = self._is_generators_turn()
        # The same images serve both networks.
        with torch.set_grad_enabled(turn), self._autocast():
            fake = self.generator(self._latents(len(real)))
        with self._autocast():
            real_logits, fake_logits = self.discriminator(real), self.discriminator(fake.detach())
        loss = objectives.discriminator_loss(real_logits, fake_logits)
        metrics = {
            "loss_discriminator": loss.detach(),
            "score_real": real_logits.detach().mean(),
            "score_fake": fake_logits.detach().mean(),
            "probability_real": torch.sigmoid(real_logits.detach()).mean(),
            "probability_fake": torch.sigmoid(fake_logits.detach()).mean(),
            "accuracy_real": (real_logits > 0).float().mean(),
            "accuracy_fake": (fake_logits < 0).float().mean(),
            "gradient_norm_discriminator": self._descend(loss, self.discriminator, self.discriminator_optimizer),
        }
        if turn:
            # The discriminator's weights need no gradient here, only its input does: a third of the work saved.
            self.discriminator.requires_grad_(False)
            with self._autocast():
                updated_logits = self.discriminator(fake)
            metrics |= self._descend_generator(objectives.GENERATOR_LOSSES[self.config.objective](updated_logits))
            self.discriminator.requires_grad_(True)
        return metrics


class WGANStep(AdversarialStep):
    """A step of the critic, and at every `n_critic`-th one of the generator (Arjovsky et al., 2017, algorithm 1)."""

    config: WGANConfig

    def discriminator_steps(self) -> int:
        warmup = self.config.warmup
        if warmup and (self.generator_steps < warmup.generator_steps or self.generator_steps % warmup.every == 0):
            return warmup.critic_steps
        return self.config.n_critic

    def judged(self, seen: Tensor, unseen: Tensor, fake: Tensor) -> dict[str, Tensor]:
        return {
            "wasserstein_estimate_seen": objectives.wasserstein_estimate(seen, fake),
            "wasserstein_estimate_held_out": objectives.wasserstein_estimate(unseen, fake),
        }

    def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Learns from uint8 images `(B, 1, 28, 28)`; labels are not used."""
        real = to_unit_interval(images)
        lipschitz = self.config.lipschitz
        with self._autocast():
            with torch.no_grad():
                fake = self.generator(self._latents(len(real)))
            real_scores, fake_scores = self.discriminator(real), self.discriminator(fake)
        loss, constraint = objectives.critic_loss(real_scores, fake_scores), {}
        if isinstance(lipschitz, GradientPenaltyConfig):
            mix = torch.rand(len(real), 1, 1, 1, device=self.device)
            slopes = objectives.slopes(self.discriminator, objectives.between(real, fake, mix))
            penalty = objectives.gradient_penalty(slopes)
            loss = loss + lipschitz.weight * penalty
            constraint = {"gradient_penalty": penalty.detach(), "slope": slopes.detach().mean()}
        metrics = {
            "loss_discriminator": loss.detach(),
            "score_real": real_scores.detach().mean(),
            "score_fake": fake_scores.detach().mean(),
            "wasserstein_estimate": objectives.wasserstein_estimate(real_scores, fake_scores).detach(),
            "gradient_norm_discriminator": self._descend(loss, self.discriminator, self.discriminator_optimizer),
            **constraint,
        }
        if isinstance(lipschitz, ClipConfig):
            metrics["clipped_share"] = clip_weights(self.discriminator, lipschitz.bound)
        if self._is_generators_turn():
            self.discriminator.requires_grad_(False)
            with self._autocast():
                scores = self.discriminator(self.generator(self._latents(len(real))))
            metrics |= self._descend_generator(objectives.critic_generator_loss(scores))
            self.discriminator.requires_grad_(True)
        return metrics


def _gradients(parameters: Iterable[nn.Parameter]) -> list[Tensor]:
    return [parameter.grad for parameter in parameters if parameter.grad is not None]
