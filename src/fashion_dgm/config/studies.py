"""Parameters of the studies of adversarial training."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from fashion_dgm.config.base import Config, Fraction, Seed
from fashion_dgm.config.gans import GradientPenaltyConfig, NormalisationConfig
from fashion_dgm.config.training import OptimizerConfig

__all__ = [
    "PenalisedWGANConfig",
    "StabilityConfig",
    "UniformsConfig",
    "VanishingGradientsConfig",
    "VariationConfig",
]

Several = Annotated[int, Field(ge=2)]
Model = Literal["gan", "wgan", "wgan_penalty"]


class PenalisedWGANConfig(Config):
    """What a gradient penalty in place of the clip (WGAN-GP, Gulrajani et al., 2017) changes of the assignment's WGAN."""

    n_critic: PositiveInt
    lipschitz: GradientPenaltyConfig
    normalisation: NormalisationConfig
    optimizer: OptimizerConfig


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


class VanishingGradientsConfig(Config):
    """Discriminators trained against frozen generators.

    Arguments:
        snapshots: how many epochs of the trained GAN to take, the first and the last among them, besides an untrained one.
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
    seed: Seed
    device: str


class VariationConfig(Config):
    """A departure from what the models are assigned.

    Arguments:
        normalisation: "none" takes every normalisation out of both networks; None leaves them.
        learning_rate_factor: of both networks.
        discriminator_steps: for one step of the generator, by model; a model not named keeps its own.
    """

    normalisation: Literal["none"] | None = None
    learning_rate_factor: PositiveFloat = 1.0
    discriminator_steps: dict[Model, PositiveInt] = Field(default_factory=dict)


class StabilityConfig(Config):
    """Short trainings of every model under every variation and seed.

    Arguments:
        seeds: how many, from `seed` on.
        epochs: passes of the discriminator or critic, each over `images_per_epoch` images.
        width: of the networks, as in `train_gan`.
        snapshot_every: epochs between two measured distances.
        samples: on each side of a distance.
        baseline: the variation that changes nothing.
        least_progress: the share of its first distance by which a model must have come nearer, as assigned, before its
            stability means anything.
        missing_share: a class with less than this share of the generated images is missing.
        missing_classes: this many missing classes are a collapse.
        confidence: with which all comparisons hold together.
        parallel: runs at a time, by Ray where more than one.
        gpus_per_run: for Ray; a fraction lets runs share a GPU.
    """

    seeds: PositiveInt
    epochs: PositiveInt
    images_per_epoch: PositiveInt
    batch_size: Several
    width: PositiveInt
    snapshot_every: PositiveInt
    samples: Several
    variations: Annotated[dict[str, VariationConfig], Field(min_length=1)]
    baseline: str
    least_progress: Fraction
    missing_share: Fraction
    missing_classes: Annotated[int, Field(ge=1, le=10)]
    confidence: Fraction
    parallel: PositiveInt
    gpus_per_run: Annotated[float, Field(ge=0)]
    seed: Seed
    device: str

    @model_validator(mode="after")
    def _has_a_baseline(self) -> Self:
        found = self.variations.get(self.baseline)
        if found is None:
            raise ValueError(f"baseline names {self.baseline}, which is none of: {', '.join(self.variations)}")
        if found != VariationConfig():
            raise ValueError(f"the baseline, {self.baseline}, must change nothing")
        return self
