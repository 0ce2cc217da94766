"""Parameters of the discrete likelihood of a trained flow."""

from __future__ import annotations

import itertools
from typing import Annotated

from pydantic import Field, PositiveInt, field_validator

from fashion_dgm.config.base import Config, Seed

__all__ = ["DiscreteLikelihoodConfig"]


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
