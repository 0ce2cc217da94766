"""Parameters of what looks into a flow: its latents, and the terms of its likelihood."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from fashion_dgm.config.base import Config, Fraction, Precision, Seed

__all__ = ["FlowAnatomyConfig", "LatentSpaceConfig", "PerturbationsConfig"]

Levels = Annotated[tuple[NonNegativeFloat, ...], Field(min_length=1)]


class LatentSpaceConfig(Config):
    """Images that the flow makes of latents its prior would hardly draw.

    Arguments:
        images: of each kind; figures show the first few of them.
        temperatures: standard deviations of the latents.
        radii: norms of latents over that of a typical draw, along the directions of real images.
        truncations: limits of truncated draws.
        constants: values of latents that are all the same.
        active: numbers of coordinates that carry the whole norm.
        steps: images on the way from one image to another, both ends included.
        noise: shares `s` of fresh noise in a stranger's latents, `sqrt(1 - s^2) z + s e`.
        stranger: out-of-distribution set whose latents are looked at.
    """

    images: Annotated[int, Field(ge=9)]
    temperatures: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]
    radii: Levels
    truncations: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]
    constants: Annotated[tuple[float, ...], Field(min_length=1)]
    active: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
    steps: Annotated[int, Field(ge=3)]
    noise: Annotated[tuple[Annotated[float, Field(ge=0, le=1)], ...], Field(min_length=1)]
    stranger: str
    batch_size: PositiveInt
    confidence: Fraction
    bootstrap: Annotated[int, Field(ge=100)]
    seed: Seed
    device: str


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


class FlowAnatomyConfig(Config):
    """Why a flow's likelihood fails to recognise strangers.

    Arguments:
        images: of each set that are taken apart.
        stranger: the out-of-distribution set that is looked at most closely.
        second_order_images: of each set, for the second-order argument.
    """

    images: Annotated[int, Field(ge=3)]
    stranger: str
    second_order_images: Annotated[int, Field(ge=2)]
    batch_size: PositiveInt
    bootstrap: Annotated[int, Field(ge=100)]
    confidence: Fraction
    perturbations: PerturbationsConfig
    seed: Seed
    device: str
    precision: Precision
