"""Parameters of `latent_space`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from fashion_dgm.config.base import Config, Fraction, Seed

__all__ = ["LatentSpaceConfig"]

Levels = Annotated[tuple[NonNegativeFloat, ...], Field(min_length=1)]


class LatentSpaceConfig(Config):
    """Images that the flow decodes from unusual latents.

    Arguments:
        images: of each kind; figures show the first few of them.
        temperatures: standard deviations of the latents.
        radii: norms of latents over that of a typical draw, along the directions of real images.
        truncations: limits of truncated draws.
        constants: values of latents that are all the same.
        active: numbers of coordinates that carry the whole norm.
        steps: images of an interpolation, both ends included.
        noise: fractions `s` of fresh noise in the latents of an OOD image, `sqrt(1 - s^2) z + s e`.
        ood_set: OOD set whose images are encoded.
    """

    images: Annotated[int, Field(ge=9)]
    temperatures: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]
    radii: Levels
    truncations: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]
    constants: Annotated[tuple[float, ...], Field(min_length=1)]
    active: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
    steps: Annotated[int, Field(ge=3)]
    noise: Annotated[tuple[Annotated[float, Field(ge=0, le=1)], ...], Field(min_length=1)]
    ood_set: str
    batch_size: PositiveInt
    confidence: Fraction
    bootstrap: Annotated[int, Field(ge=100)]
    seed: Seed
    device: str
