"""Parameters of the studies of adversarial training."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from fashion_dgm.config.base import Config, Fraction, Seed
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

Several = Annotated[int, Field(ge=2)]


class PenalisedWGANConfig(Config):
    """What a gradient penalty in place of the clip (WGAN-GP, Gulrajani et al., 2017) changes of the assignment's WGAN."""

    n_critic: PositiveInt
    lipschitz: GradientPenaltyConfig
    normalisation: NormalisationConfig
    optimizer: OptimizerConfig


class SpectralGANConfig(Config):
    """What spectral normalisation of the discriminator (SN-GAN, Miyato et al., 2018) changes of the assignment's GAN."""

    lipschitz: SpectralNormConfig
    normalisation: NormalisationConfig


class UniformsConfig(Config):
    """Distances between two uniform distributions, one of them shifted.

    Arguments:
        shifts: at which they are estimated from samples.
        samples: of each distribution.
        bins: of the histograms.
        repetitions: of each estimate, each with draws of its own.
    """

    shifts: Annotated[tuple[float, ...], Field(min_length=1)]
    samples: PositiveInt
    bins: Several
    repetitions: Several


class DiracConfig(Config):
    """GANs on one point, docs/theory/convergence.md.

    Arguments:
        start: of the generator and of the discriminator; the equilibrium is (0, 0).
        steps: of the generator, each after one of the discriminator.
        clip: the bound of the clipped critic's gradient norm.
        gradient_penalty: weight of the penalty on gradient norms other than 1.
        r1: weight of the penalty on the squared gradient norm at real images.
    """

    start: tuple[float, float]
    step_size: PositiveFloat
    steps: PositiveInt
    clip: PositiveFloat
    gradient_penalty: PositiveFloat
    r1: PositiveFloat


class VanishingGradientsConfig(Config):
    """Discriminators trained against frozen generators.

    Arguments:
        snapshots: how many epochs of the trained GAN to take, with the first and the last, and an untrained one.
        seeds: of the discriminator's weights, batches and latents.
        steps: of each discriminator.
        gradient_batches: of latents, over which the variance of a gradient is taken.
    """

    snapshots: PositiveInt
    seeds: PositiveInt
    steps: Annotated[int, Field(ge=10)]
    batch_size: Several
    gradient_batches: Several
    uniforms: UniformsConfig
    dirac: DiracConfig
    seed: Seed
    device: str


class VariationRangesConfig(Config):
    """What variations of the training settings are drawn from, the same for all models.

    Arguments:
        learning_rate_factor: of both networks, log-uniform between the two bounds.
        discriminator_steps: of the discriminator or critic for one of the generator, uniform from the first to the last.
        unnormalised: probability that BatchNorm is taken out of both networks.
    """

    learning_rate_factor: tuple[PositiveFloat, PositiveFloat]
    discriminator_steps: tuple[PositiveInt, PositiveInt]
    unnormalised: Annotated[float, Field(ge=0, le=1)]

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> Self:
        for name in ("learning_rate_factor", "discriminator_steps"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} must begin with its smaller bound, not with {low}")
        return self


class StabilityConfig(Config):
    """Short trainings of every model, as assigned and under drawn variations, with several seeds.

    Arguments:
        seeds: how many, from `seed` on.
        variations: drawn for each seed, and the same ones for every model.
        ranges: what they are drawn from.
        epochs: of `generator_steps` each.
        generator_steps: of an epoch; the discriminator's or critic's follow from their number for one of the generator.
        width: of the networks, as in `train_gan`.
        snapshot_every: epochs between two measured distances.
        samples: on each side of a distance.
        least_progress: the fraction of its first distance by which a model must have come nearer, as assigned, before its
            stability means anything.
        missing_fraction: a class with less than this fraction of the generated images is missing.
        missing_classes: this many missing classes are a collapse.
        confidence: with which all comparisons of the primary measure hold together.
        parallel: runs at a time, by Ray where more than one.
        gpus_per_run: for Ray; a fraction lets runs share a GPU.
    """

    seeds: PositiveInt
    variations: PositiveInt
    ranges: VariationRangesConfig
    epochs: PositiveInt
    generator_steps: PositiveInt
    batch_size: Several
    width: PositiveInt
    snapshot_every: PositiveInt
    samples: Several
    least_progress: Fraction
    missing_fraction: Fraction
    missing_classes: Annotated[int, Field(ge=1, le=10)]
    confidence: Fraction
    parallel: PositiveInt
    gpus_per_run: Annotated[float, Field(ge=0)]
    seed: Seed
    device: str
