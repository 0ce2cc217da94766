"""Parameters of what judges trained models."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from fashion_dgm.config.base import Config, Fraction, Precision, Seed

__all__ = ["FIDConfig", "OODConfig"]


class OODConfig(Config):
    """Likelihood-based out-of-distribution detection."""

    max_images: PositiveInt
    batch_size: PositiveInt
    bootstrap: Annotated[int, Field(ge=100)]
    confidence: Fraction
    samples: PositiveInt
    temperatures: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]
    seed: Seed
    device: str
    precision: Precision


class FIDConfig(Config):
    """Fréchet distance of every snapshot, at one N."""

    samples: Annotated[int, Field(ge=2)]
    batch_size: PositiveInt
    inception: bool
    inception_weights: str | None
    inception_sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{8,64}$")]
    inception_download: bool
    seed: Seed
    device: str
