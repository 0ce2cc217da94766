"""Parameters of the adversarial models."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, model_validator

from fashion_dgm.config.base import Config, Fraction, without_nulls
from fashion_dgm.config.training import OptimizerConfig, ScheduleConfig, TrainingConfig

__all__ = [
    "AdversarialConfig",
    "ClipConfig",
    "GANConfig",
    "GradientPenaltyConfig",
    "LipschitzConfig",
    "NormalisationConfig",
    "RecordsConfig",
    "SpectralNormConfig",
    "WGANConfig",
    "WarmupConfig",
]


class NormalisationConfig(Config):
    """What stands between convolutions and activations; "layer" is a LayerNorm over channels and pixels of one image."""

    generator: Literal["batch", "none"] = "batch"
    discriminator: Literal["batch", "layer", "none"] = "batch"


class RecordsConfig(Config):
    """What is measured of the networks after each epoch.

    Arguments:
        samples: how many generated, training and held-out images are classified, and scored as far as they fill batches of
            the size of training.
        neighbours: of how many of the generated and the held-out ones the nearest training image is searched, among all.
        least_fraction: a class with a smaller fraction of the samples counts as missing; an equal fraction is 0.1.
    """

    samples: Annotated[int, Field(ge=2)] = 1000
    neighbours: PositiveInt = 200
    least_fraction: Fraction = 0.01


class SpectralNormConfig(Config):
    """Weights of a discriminator or critic divided by their largest singular value (Miyato et al., 2018).

    Arguments:
        power_iterations: towards that value, at each forward pass in training.
    """

    name: Literal["spectral_norm"]
    power_iterations: PositiveInt = 1


class ClipConfig(Config):
    """Weights of the critic clamped to `[-bound, bound]` after each of its steps (Arjovsky et al., 2017)."""

    name: Literal["clip"]
    bound: PositiveFloat


class GradientPenaltyConfig(Config):
    """`weight` times the mean squared deviation of the critic's gradient norm from 1 (Gulrajani et al., 2017: weight 10)."""

    name: Literal["gradient_penalty"]
    weight: PositiveFloat


LipschitzConfig = Annotated[
    Annotated[ClipConfig | GradientPenaltyConfig | SpectralNormConfig, Field(discriminator="name")],
    BeforeValidator(without_nulls),
]


class WarmupConfig(Config):
    """More steps of the critic while the generator is young, and now and then later.

    Arguments:
        critic_steps: for one of the generator, while it warms up (Arjovsky et al.: 100).
        generator_steps: how many of the generator's first steps (Arjovsky et al.: 25).
        every: again at each generator step whose number, from 0, it divides (Arjovsky et al.: 500).
    """

    critic_steps: PositiveInt
    generator_steps: PositiveInt
    every: PositiveInt


class AdversarialConfig(TrainingConfig):
    """Adversarial training of a generator and a discriminator.

    Arguments:
        objective: the pair of losses, by its name in `fashion_dgm.gans.objectives`.
        latent_dim: size of the generator's latents.
        width: channels of the generator's last hidden layer and of the discriminator's first.
        optimizer: of each of the two networks.
        generator_optimizer, discriminator_optimizer: of one of them instead (two time-scale update rule, Heusel et al.,
            2017); None for `optimizer`.
        schedule: of both learning rates, each in the steps of its own network.
        lipschitz: the discriminator's Lipschitz constraint; None for nothing.
        warmup: when the discriminator takes more steps; None for never.
        new_latents: whether the generator learns from other latents than the discriminator did just before.
        normalisation: within the networks.
        ema_decay: of a moving average of the generator's weights, kept and reported in addition; None for none.
        snapshot_every: epochs between two kept generators.
        records: what is measured after each epoch.
    """

    objective: str
    latent_dim: PositiveInt
    width: PositiveInt
    optimizer: OptimizerConfig
    generator_optimizer: OptimizerConfig | None = None
    discriminator_optimizer: OptimizerConfig | None = None
    schedule: ScheduleConfig = ScheduleConfig()
    lipschitz: LipschitzConfig | None = None
    warmup: WarmupConfig | None = None
    new_latents: bool = False
    normalisation: NormalisationConfig = NormalisationConfig()
    ema_decay: Fraction | None = None
    snapshot_every: PositiveInt
    records: RecordsConfig = RecordsConfig()

    @property
    def discriminator_steps(self) -> int:
        """Steps of the discriminator for one of the generator, after any warm-up."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _penalty_is_defined(self) -> Self:
        if isinstance(self.lipschitz, GradientPenaltyConfig):
            if self.normalisation.discriminator == "batch":
                raise ValueError(
                    "a gradient penalty needs the critic's gradient at one image, and BatchNorm makes every score depend on "
                    "the whole batch; set normalisation.discriminator to none or layer"
                )
            if self.speed.compile != "none":
                raise ValueError(
                    "a gradient penalty is differentiated twice, which compiled networks cannot be; set speed.compile "
                    "to none"
                )
        return self


class GANConfig(AdversarialConfig):
    """A GAN: by default the assignment's; with another `objective`, any other.

    Arguments:
        n_discriminator: steps of the discriminator for one of the generator.
    """

    objective: str = "non_saturating"
    n_discriminator: PositiveInt = 1

    @property
    def discriminator_steps(self) -> int:
        return self.n_discriminator


class WGANConfig(AdversarialConfig):
    """The assignment's WGAN, and its variants.

    Arguments:
        n_critic: steps of the critic for one of the generator.
    """

    objective: Literal["wasserstein"] = "wasserstein"
    n_critic: PositiveInt
    lipschitz: LipschitzConfig
    new_latents: bool = True

    @property
    def discriminator_steps(self) -> int:
        return self.n_critic
