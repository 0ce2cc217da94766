"""Parameters of the analyses of a flow's likelihood: discrete likelihood and likelihood decomposition."""

from __future__ import annotations

import itertools
from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveInt, field_validator

from fashion_dgm.config.base import Config, Fraction, Precision, Seed

__all__ = ["DiscreteLikelihoodConfig", "LikelihoodDecompositionConfig", "PerturbationsConfig"]

Levels = Annotated[tuple[NonNegativeFloat, ...], Field(min_length=1)]


class DiscreteLikelihoodConfig(Config):
    """How the probability that a flow gives 8-bit images is estimated.

    Arguments:
        images: official test images, from the first.
        draws: of dequantisation noise for each image; rising, each a multiple of the one before, so that groups of draws
            nest and the bound of every image falls from each to the next.
        batch_size: noisy images at once.
        seed: of the noise.
    """

    images: PositiveInt
    draws: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
    batch_size: PositiveInt
    seed: Seed
    device: str

    @field_validator("draws")
    @classmethod
    def _nest(cls, draws: tuple[int, ...]) -> tuple[int, ...]:
        if any(more <= fewer or more % fewer for fewer, more in itertools.pairwise(draws)):
            raise ValueError(f"draws must rise, each a multiple of the one before, as in 1, 4, 16; not {draws}")
        return draws


class PerturbationsConfig(Config):
    """In-distribution images made darker, more alike or smoother.

    Arguments:
        images: how many.
        brightness: factors of the pixels; 1 is the image itself.
        spread: factors of the deviation from the mean image, at most 1, so that the mean stays; 1 is the image itself.
        blur: standard deviations of the Gaussian, pixels; 0 is the image itself.
    """

    images: Annotated[int, Field(ge=2)]
    brightness: Levels
    spread: Annotated[tuple[Annotated[float, Field(ge=0, le=1)], ...], Field(min_length=1)]
    blur: Levels


class LikelihoodDecompositionConfig(Config):
    """The likelihood decomposition, which shows why likelihood fails to detect OOD images.

    Arguments:
        images: of each set, whose likelihood is decomposed.
        ood_set: the OOD set that is analysed in most detail.
        second_order_images: of each set, for the second-order argument.
    """

    images: Annotated[int, Field(ge=3)]
    ood_set: str
    second_order_images: Annotated[int, Field(ge=2)]
    batch_size: PositiveInt
    bootstrap: Annotated[int, Field(ge=100)]
    confidence: Fraction
    perturbations: PerturbationsConfig
    seed: Seed
    device: str
    precision: Precision
