"""One step of adversarial training, whatever the objective.

A step takes one batch: the discriminator or critic learns from it, and the generator too where it is its turn. Nothing
waits for the device.
"""

# Derived in docs/theory/gan.md, docs/theory/vanishing-gradients.md and docs/theory/wasserstein.md.

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from fashion_dgm.config import AdversarialConfig, ClipConfig, GradientPenaltyConfig, SpectralNormConfig, SpeedConfig
from fashion_dgm.data.images import to_unit_interval
from fashion_dgm.gans import objectives
from fashion_dgm.gans.convolution import multiply_matrices
from fashion_dgm.gans.lipschitz import clip_weights
from fashion_dgm.gans.networks import Discriminator, Generator
from fashion_dgm.training.distributed.ranks import average_gradients
from fashion_dgm.training.ema import EMA
from fashion_dgm.training.optimizers import make_optimizer, set_learning_rate
from fashion_dgm.training.speed import accelerate, begin_step
from fashion_dgm.training.step import StatefulStep

__all__ = ["AdversarialStep", "discriminator_arguments", "generator_arguments"]


def generator_arguments(config: AdversarialConfig) -> dict[str, Any]:
    """Returns the arguments of the `Generator` that `config` describes."""
    return {
        "latent_dim": config.latent_dim,
        "width": config.width,
        "normalisation": config.normalisation.generator,
    }


def discriminator_arguments(config: AdversarialConfig) -> dict[str, Any]:
    """Returns the arguments of the `Discriminator` that `config` describes."""
    lipschitz = config.lipschitz
    return {
        "width": config.width,
        "normalisation": config.normalisation.discriminator,
        "power_iterations": lipschitz.power_iterations if isinstance(lipschitz, SpectralNormConfig) else None,
    }


class AdversarialStep(StatefulStep):
    """A step of the discriminator, and one of the generator if it is its turn.

    Goodfellow et al., 2014, algorithm 1; with the Wasserstein objective, Arjovsky et al., 2017, algorithm 1.
    """

    state = (
        *("generator", "discriminator", "generator_optimizer", "discriminator_optimizer", "average"),
        *("generator_steps", "discriminator_steps", "waited"),
    )

    def __init__(self, config: AdversarialConfig, device: torch.device, precision: torch.dtype) -> None:
        self.config, self.device, self.precision = config, device, precision
        self.objective = objectives.objective(config.objective)
        self.generator = _prepared(Generator(**generator_arguments(config)), config.speed, device)
        self.discriminator = _prepared(Discriminator(**discriminator_arguments(config)), config.speed, device)
        of_generator = config.generator_optimizer or config.optimizer
        of_discriminator = config.discriminator_optimizer or config.optimizer
        fused = config.speed.fused_optimizer
        self.generator_optimizer = make_optimizer(of_generator, self.generator.parameters(), fused)
        self.discriminator_optimizer = make_optimizer(of_discriminator, self.discriminator.parameters(), fused)
        self.average = EMA(self.generator, config.ema_decay) if config.ema_decay is not None else None
        self.generator_steps = self.discriminator_steps = 0
        self.waited = 0

    def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Learns from uint8 images `(B, 1, 28, 28)`; labels are not used."""
        begin_step(self.config.speed)
        real = to_unit_interval(images)
        turn = self._is_generators_turn()
        reused = turn and not self.config.new_latents
        with torch.set_grad_enabled(reused), self._autocast():
            fake = self.generator(self._latents(len(real)))
        with self._autocast():
            real_scores, fake_scores = self.discriminator(real), self.discriminator(fake.detach())
        loss = self.objective.discriminator(real_scores, fake_scores)
        penalty, constraint = self._penalty(real, fake.detach())
        loss = loss if penalty is None else loss + penalty
        metrics = {
            "loss_discriminator": loss.detach(),
            **self.objective.batch_metrics(real_scores.detach(), fake_scores.detach()),
            "gradient_norm_discriminator": self._descend_discriminator(loss),
            **constraint,
        }
        if isinstance(self.config.lipschitz, ClipConfig):
            metrics["clipped_fraction"] = clip_weights(self.discriminator, self.config.lipschitz.bound)
        if turn:
            # The discriminator's weights need no gradient here, only its input does: a third of the work saved.
            self.discriminator.requires_grad_(False)
            with self._autocast():
                scores = self.discriminator(fake if reused else self.generator(self._latents(len(real))))
            metrics |= self._descend_generator(self.objective.generator(scores))
            self.discriminator.requires_grad_(True)
        return metrics

    def steps_per_turn(self) -> int:
        """Returns how many steps the discriminator takes for the generator's next one."""
        warmup = self.config.warmup
        if warmup and (self.generator_steps < warmup.generator_steps or self.generator_steps % warmup.every == 0):
            return warmup.critic_steps
        return self.config.discriminator_steps

    def networks(self) -> Mapping[str, nn.Module]:
        networks = super().networks()
        return networks if self.average is None else {**networks, "average": self.average.average}

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == torch.bfloat16)

    def _latents(self, n: int) -> Tensor:
        return torch.randn(n, self.config.latent_dim, device=self.device)

    def _is_generators_turn(self) -> bool:
        """Counts a step of the discriminator, and returns whether one of the generator follows it."""
        self.waited += 1
        return self.waited >= self.steps_per_turn()

    def _penalty(self, real: Tensor, fake: Tensor) -> tuple[Tensor | None, dict[str, Tensor]]:
        """Returns what a gradient penalty adds to the discriminator's loss, and its metrics; None without one."""
        lipschitz = self.config.lipschitz
        if not isinstance(lipschitz, GradientPenaltyConfig):
            return None, {}
        mix = torch.rand(len(real), 1, 1, 1, device=self.device)
        norms = objectives.gradient_norms(self.discriminator, objectives.interpolates(real, fake, mix))
        penalty = objectives.gradient_penalty(norms)
        return lipschitz.weight * penalty, {
            "gradient_penalty": penalty.detach(),
            "critic_gradient_norm": norms.detach().mean(),
        }

    def _descend(self, loss: Tensor, network: nn.Module, optimizer: torch.optim.Optimizer) -> Tensor:
        """Takes one optimizer step down `loss` and returns the norm of the gradient."""
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(network.parameters())
        norm = torch.nn.utils.get_total_norm(_gradients(network.parameters()))
        optimizer.step()
        return norm

    def _descend_discriminator(self, loss: Tensor) -> Tensor:
        config = self.config.discriminator_optimizer or self.config.optimizer
        set_learning_rate(
            self.discriminator_optimizer, config.learning_rate, self.config.schedule, self.discriminator_steps
        )
        self.discriminator_steps += 1
        return self._descend(loss, self.discriminator, self.discriminator_optimizer)

    def _descend_generator(self, loss: Tensor) -> dict[str, Tensor]:
        """Ends the generator's turn: its step, and that of its moving average."""
        config = self.config.generator_optimizer or self.config.optimizer
        set_learning_rate(self.generator_optimizer, config.learning_rate, self.config.schedule, self.generator_steps)
        norm = self._descend(loss, self.generator, self.generator_optimizer)
        if self.average is not None:
            self.average.update()
        self.generator_steps, self.waited = self.generator_steps + 1, 0
        return {"loss_generator": loss.detach(), "gradient_norm_generator": norm}


N = TypeVar("N", bound=nn.Module)


def _prepared(network: N, speed: SpeedConfig, device: torch.device) -> N:
    network = accelerate(network, speed, device)
    if speed.convolutions == "products" or (speed.convolutions == "auto" and device.type == "cpu"):
        multiply_matrices(network)
    return network


def _gradients(parameters: Iterable[nn.Parameter]) -> list[Tensor]:
    return [parameter.grad for parameter in parameters if parameter.grad is not None]
