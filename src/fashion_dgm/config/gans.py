"""Parameters of the adversarial models."""

from abc import abstractmethod
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, model_validator

from fashion_dgm.config.base import Config, Fraction, Several, without_nulls
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


KINDS = "`clip`, `gradient_penalty` or `spectral_norm`"


class NormalisationConfig(Config):
    """What stands between convolutions and activations; "layer" is a LayerNorm over channels and pixels of one image."""

    generator: Literal["batch", "none"] = Field(default="batch", description="`batch` or `none`")
    discriminator: Literal["batch", "layer", "none"] = Field(default="batch", description="`batch`, `layer` or `none`")


class RecordsConfig(Config):
    """What is measured of the networks after each epoch."""

    samples: Several = Field(
        default=1000,
        description="number of generated, training and held-out images each that are scored and classified",
    )
    neighbours: PositiveInt = Field(
        default=200, description="number of them that are compared with all training images"
    )
    least_fraction: Fraction = Field(
        default=0.01, description="a class with a smaller fraction of the samples counts as missing"
    )


class SpectralNormConfig(Config):
    """Weights of a discriminator or critic divided by their largest singular value (Miyato et al., 2018)."""

    name: Literal["spectral_norm"] = Field(description=KINDS)
    power_iterations: PositiveInt = Field(default=1, description="power iterations at each forward pass in training")


class ClipConfig(Config):
    """Weights of the critic clamped to `[-bound, bound]` after each of its steps (Arjovsky et al., 2017)."""

    name: Literal["clip"] = Field(description=KINDS)
    bound: PositiveFloat = Field(description="bound of each weight's absolute value")


class GradientPenaltyConfig(Config):
    """`weight` times the mean squared deviation of the critic's gradient norm from 1 (Gulrajani et al., 2017: weight 10)."""

    name: Literal["gradient_penalty"] = Field(description=KINDS)
    weight: PositiveFloat = Field(description="weight of the penalty")


LipschitzConfig = Annotated[
    Annotated[ClipConfig | GradientPenaltyConfig | SpectralNormConfig, Field(discriminator="name")],
    BeforeValidator(without_nulls),
]


class WarmupConfig(Config):
    """More steps of the critic while the generator is young, and now and then later."""

    critic_steps: PositiveInt = Field(
        description="steps of the critic for each of the generator's during the warm-up (Arjovsky et al.: 100)"
    )
    generator_steps: PositiveInt = Field(
        description="number of the generator's first steps that are warm-up (Arjovsky et al.: 25)"
    )
    every: PositiveInt = Field(
        description="interval of generator steps at which the warm-up is repeated for one step (Arjovsky et al.: 500)"
    )


class AdversarialConfig(TrainingConfig):
    """Adversarial training of a generator and a discriminator."""

    objective: str = Field(description="pair of losses, by its name in `fashion_dgm.gans.objectives`")
    latent_dim: PositiveInt = Field(description="size of the generator's latents")
    width: PositiveInt = Field(
        description="channels of the generator's last hidden layer and of the discriminator's first"
    )
    optimizer: OptimizerConfig = Field(description="optimizer of both networks")
    generator_optimizer: OptimizerConfig | None = Field(
        default=None,
        description=(
            "optimizer of the generator instead (two time-scale update rule, Heusel et al., 2017); null for `optimizer`"
        ),
    )
    discriminator_optimizer: OptimizerConfig | None = Field(
        default=None, description="optimizer of the discriminator instead; null for `optimizer`"
    )
    schedule: ScheduleConfig = Field(
        default=ScheduleConfig(), description="schedule of both learning rates, each in the steps of its own network"
    )
    lipschitz: LipschitzConfig | None = Field(
        default=None, description="the discriminator's Lipschitz constraint; null for none"
    )
    warmup: WarmupConfig | None = Field(
        default=None, description="when the discriminator takes more steps; null for never"
    )
    new_latents: bool = Field(
        default=False,
        description="whether the generator learns from other latents than the discriminator did just before",
    )
    normalisation: NormalisationConfig = Field(
        default=NormalisationConfig(), description="normalisation within the networks"
    )
    ema_decay: Fraction | None = Field(
        default=None,
        description="decay of a moving average of the generator's weights, which is then saved and evaluated; null for none",
    )
    snapshot_every: PositiveInt = Field(description="epochs between two saved generators")
    records: RecordsConfig = Field(default=RecordsConfig(), description="what is measured after each epoch")

    @property
    @abstractmethod
    def discriminator_steps(self) -> int:
        """Steps of the discriminator for one of the generator, after any warm-up."""

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
    """A GAN: by default the assignment's; with another `objective`, any other."""

    objective: str = Field(
        default="non_saturating",
        description="or `saturating` (the minimax loss), `wasserstein`, `least_squares`, `hinge`",
    )
    n_discriminator: PositiveInt = Field(default=1, description="steps of the discriminator for one of the generator")

    @property
    def discriminator_steps(self) -> int:
        return self.n_discriminator


class WGANConfig(AdversarialConfig):
    """The assignment's WGAN, and its variants."""

    objective: Literal["wasserstein"] = Field(
        default="wasserstein", description="difference of the critic's mean scores of real and generated images"
    )
    n_critic: PositiveInt = Field(description="steps of the critic for one of the generator")
    lipschitz: LipschitzConfig = Field(description="the critic's Lipschitz constraint: docs/how-to/gan-variants.md")
    new_latents: bool = Field(default=True, description="as for a GAN")

    @property
    def discriminator_steps(self) -> int:
        return self.n_critic
