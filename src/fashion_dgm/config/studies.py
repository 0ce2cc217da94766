"""Parameters of the studies of adversarial training."""

from typing import Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from fashion_dgm.config.base import Config, Device, Fraction, Seed, Several
from fashion_dgm.config.gans import GradientPenaltyConfig, NormalisationConfig, SpectralNormConfig
from fashion_dgm.config.training import OptimizerConfig

__all__ = [
    "DiracConfig",
    "PenalisedWGANConfig",
    "SpectralGANConfig",
    "StabilityConfig",
    "UniformsConfig",
    "VanishingGradientsConfig",
    "VariationRangesConfig",
]


class PenalisedWGANConfig(Config):
    """What a gradient penalty in place of the clip (WGAN-GP, Gulrajani et al., 2017) changes of the assignment's WGAN."""

    n_critic: PositiveInt = Field(description="steps of the critic for one of the generator")
    lipschitz: GradientPenaltyConfig = Field(description="the penalty")
    normalisation: NormalisationConfig = Field(description="within the networks")
    optimizer: OptimizerConfig = Field(description="of each of the two networks")


class SpectralGANConfig(Config):
    """What spectral normalisation of the discriminator (SN-GAN, Miyato et al., 2018) changes of the assignment's GAN."""

    lipschitz: SpectralNormConfig = Field(description="spectral normalisation")
    normalisation: NormalisationConfig = Field(description="within the networks")


class UniformsConfig(Config):
    """Distances between two uniform distributions, one of them shifted."""

    shifts: tuple[float, ...] = Field(min_length=1, description="at which they are estimated from samples")
    samples: PositiveInt = Field(description="of each distribution")
    bins: Several = Field(description="of the histograms")
    repetitions: Several = Field(description="of each estimate, each with draws of its own")


class DiracConfig(Config):
    """GANs on one point: docs/theory/convergence.md."""

    start: tuple[float, float] = Field(
        description="of the generator and of the discriminator; the equilibrium is (0, 0)"
    )
    step_size: PositiveFloat = Field(description="of gradient descent")
    steps: PositiveInt = Field(description="of the generator, each after one of the discriminator")
    clip: PositiveFloat = Field(description="bound of the clipped critic's gradient norm")
    gradient_penalty: PositiveFloat = Field(description="weight of the penalty on gradient norms other than 1")
    r1: PositiveFloat = Field(description="weight of the penalty on the squared gradient norm at real images")


class VanishingGradientsConfig(Config):
    """Discriminators trained against frozen generators."""

    snapshots: PositiveInt = Field(
        description="epochs of the trained GAN, its first and its last among them; an untrained generator is always included"
    )
    seeds: PositiveInt = Field(description="of the discriminator's weights, batches and latents")
    steps: int = Field(ge=10, description="of each discriminator")
    batch_size: Several = Field(description="images of a step")
    gradient_batches: Several = Field(description="of latents, over which the variance of a gradient is taken")
    uniforms: UniformsConfig = Field(description="distances of uniform distributions")
    dirac: DiracConfig = Field(description="Dirac-GANs")
    seed: Seed
    device: Device


class VariationRangesConfig(Config):
    """What variations of the training settings are drawn from, the same for all models."""

    learning_rate_factor: tuple[PositiveFloat, PositiveFloat] = Field(
        description="of both networks, log-uniform between the two bounds"
    )
    discriminator_steps: tuple[PositiveInt, PositiveInt] = Field(
        description="of the discriminator or critic for one of the generator, uniform from the first to the last"
    )
    unnormalised: float = Field(ge=0, le=1, description="probability that BatchNorm is taken out of both networks")

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> Self:
        for name in ("learning_rate_factor", "discriminator_steps"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} must begin with its smaller bound, not with {low}")
        return self


class StabilityConfig(Config):
    """Short trainings of every model, as assigned and under drawn variations, with several seeds."""

    seeds: PositiveInt = Field(description="how many, from `seed` on")
    variations: PositiveInt = Field(description="drawn for each seed, the same for all models")
    ranges: VariationRangesConfig = Field(description="which they are drawn from")
    epochs: PositiveInt = Field(description="of `generator_steps` each")
    generator_steps: PositiveInt = Field(
        description="of an epoch; the discriminator's or critic's follow from their number for one of the generator"
    )
    batch_size: Several = Field(description="images of a step")
    width: PositiveInt = Field(description="of the networks, as in `train_gan`")
    snapshot_every: PositiveInt = Field(description="epochs between two distances; oscillation needs at least three")
    samples: Several = Field(description="on each side of a distance")
    least_progress: Fraction = Field(
        description="fraction of its first distance by which a model, as assigned, must come nearer to be called stable"
    )
    missing_fraction: Fraction = Field(description="a class with a smaller fraction of the samples is missing")
    missing_classes: int = Field(ge=1, le=10, description="this many missing classes are a collapse")
    confidence: Fraction = Field(description="with which all comparisons of the primary measure hold together")
    parallel: PositiveInt = Field(description="runs at a time, by Ray where more than one: docs/how-to/many-gpus.md")
    gpus_per_run: float = Field(ge=0, description="for Ray; a fraction lets runs share a GPU")
    seed: Seed
    device: Device
