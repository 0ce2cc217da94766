"""Parameters of the analyses of trained flows: likelihood, latent space and estimators of log-determinants."""

import itertools
import math
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, field_validator, model_validator

from fashion_dgm.config.base import (
    BatchSize,
    Bootstrap,
    Confidence,
    Config,
    Device,
    Fraction,
    Precision,
    Seed,
    Several,
)

__all__ = [
    "LEAST_GROUPS",
    "BlockKind",
    "DiscreteLikelihoodConfig",
    "LatentSpaceConfig",
    "LikelihoodDecompositionConfig",
    "LogDetStudyConfig",
    "PerturbationsConfig",
]

BlockKind = Literal["dense", "convolutional", "contracting"]
LEAST_GROUPS = 50
"""Of fewer means, a variance and its error say little."""
UnitInterval = Annotated[float, Field(ge=0, le=1)]
Counts = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
Levels = Annotated[tuple[NonNegativeFloat, ...], Field(min_length=1)]
PositiveLevels = Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]
Fractions = Annotated[tuple[Fraction, ...], Field(min_length=1)]


class DiscreteLikelihoodConfig(Config):
    """How the probability that a flow gives 8-bit images is estimated: docs/reading-the-numbers.md#bits-per-dimension."""

    images: PositiveInt = Field(description="number of official test images, taken from the beginning")
    draws: Counts = Field(
        description=(
            "numbers of noise draws for each image; each a multiple of the one before, so that groups "
            "of draws nest and the bound of every image falls from each to the next"
        )
    )
    batch_size: BatchSize
    seed: Seed
    device: Device

    @field_validator("draws")
    @classmethod
    def _nest(cls, draws: tuple[int, ...]) -> tuple[int, ...]:
        if any(more <= fewer or more % fewer for fewer, more in itertools.pairwise(draws)):
            raise ValueError(f"draws must increase, each a multiple of the one before, such as 1, 4, 16; not {draws}")
        return draws


class PerturbationsConfig(Config):
    """In-distribution images made darker, more alike or smoother."""

    images: Several = Field(description="number of images")
    brightness: Levels = Field(description="factors by which pixels are multiplied; 1 is the unchanged image")
    spread: tuple[UnitInterval, ...] = Field(
        min_length=1,
        description="factors of the deviation from the mean image, which stays the same; 1 is the unchanged image",
    )
    blur: Levels = Field(description="standard deviations of the Gaussian blur in pixels; 0 is the unchanged image")


class LikelihoodDecompositionConfig(Config):
    """The likelihood decomposition, which shows why likelihood fails to detect OOD images."""

    # Of fewer, some resamples are one image alone, through which there is no line.
    images: int = Field(ge=20, description="images of each set whose likelihood is decomposed")
    ood_set: str = Field(description="OOD set that is analysed in most detail")
    second_order_images: Several = Field(description="images of each set for the second-order argument")
    batch_size: BatchSize
    bootstrap: Bootstrap
    confidence: Confidence
    perturbations: PerturbationsConfig = Field(description="changed in-distribution images")
    seed: Seed
    device: Device
    precision: Precision = Field(description="precision of convolutions")


class LatentSpaceConfig(Config):
    """Images that the flow decodes from unusual latents."""

    images: int = Field(ge=9, description="images for each kind of latents; figures show the first of them")
    temperatures: PositiveLevels = Field(description="standard deviations of the latents")
    radii: Levels = Field(description="norms of latents in the directions of real images, relative to a typical draw")
    truncations: PositiveLevels = Field(description="limits at which draws are truncated")
    constants: tuple[float, ...] = Field(min_length=1, description="values of constant latents")
    active: Counts = Field(description="numbers of nonzero coordinates, which carry the whole norm")
    steps: int = Field(ge=3, description="images of an interpolation, including both ends")
    noise: tuple[UnitInterval, ...] = Field(
        min_length=1,
        description="fractions `s` of fresh noise in the latents of an OOD image, `sqrt(1 - s^2) z + s e`",
    )
    ood_set: str = Field(description="OOD set whose images are encoded")
    batch_size: BatchSize
    confidence: Confidence
    bootstrap: Bootstrap
    seed: Seed
    device: Device


class LogDetStudyConfig(Config):
    """Which estimators are evaluated, on which residual blocks, from how many draws."""

    kinds: tuple[BlockKind, ...] = Field(
        min_length=1, description="kinds of random residual branches: `fashion_dgm.experiments.log_det.blocks`"
    )
    dimensions: tuple[Annotated[int, Field(ge=4, le=256)], ...] = Field(
        min_length=1, description="dimensions of the input; squares, since a convolution needs an image"
    )
    lipschitz: Fractions = Field(description="bounds of the branches' Lipschitz constants")
    focus: Fraction = Field(description="value of `lipschitz` that figures show, with the largest dimension")
    draws: int = Field(ge=200, description="draws of each estimator on each random block")
    terms: int = Field(ge=10, le=1000, description="terms of the series for exact moments")
    truncations: Counts = Field(description="numbers of terms of the truncated estimators")
    exact_terms: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        min_length=1, description="numbers of terms that roulette always computes"
    )
    geometric: Fractions = Field(description="probabilities of stopping after each further term")
    poisson: PositiveLevels = Field(description="mean numbers of further terms")
    probes: Counts = Field(description="numbers of probe vectors for which the variance of their mean is measured")
    budgets: Counts = Field(description="vector-Jacobian products that one estimate may cost")
    confidence: Confidence
    trained_images: PositiveInt = Field(
        description="held-out images at which the layers of a trained Residual Flow are studied"
    )
    trained_draws: int = Field(ge=50, description="like `draws`, for these layers of 784 dimensions")
    trained_terms: int = Field(ge=10, le=200, description="like `terms`, for these layers")
    seed: Seed
    device: Device

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.focus not in self.lipschitz:
            raise ValueError(
                f"focus must be one of the constants in lipschitz, {list(self.lipschitz)}, not {self.focus}"
            )
        odd = [dimension for dimension in self.dimensions if math.isqrt(dimension) ** 2 != dimension]
        if odd:
            raise ValueError(f"dimensions must be squares, such as 16 or 64; these are not: {odd}")
        if max(self.truncations) > min(self.terms, self.trained_terms):
            raise ValueError(
                f"no truncation may have more terms than terms and trained_terms, not {max(self.truncations)}"
            )
        return self
