"""Parameters of what judges trained models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from fashion_dgm.config.base import Config, Fraction, Precision, Seed

__all__ = ["FIDConfig", "KIDConfig", "OODConfig"]

# A word in --params, in MLflow and in tables.
SampleName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]


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


class KIDConfig(Config):
    """The kernel distance: the mean over `subsets` draws of `subset_size` images a side."""

    subsets: Annotated[int, Field(ge=2)]
    subset_size: Annotated[int, Field(ge=2)]


class FIDConfig(Config):
    """Distances of every snapshot and of samples from elsewhere to real images, at one N.

    Arguments:
        classifier: whose features: those of the one that comes with the package, or of one trained here.
        samples_from: name to path of images that others made: a folder, a picture, `.npy` or `.npz`.
        neighbours: k of precision, recall, density and coverage.
        extrapolation_sizes: of how many sizes the line is fitted that gives the distance at infinite N.
        memory_megabytes: what pairwise distances may take at a time.
    """

    samples: Annotated[int, Field(ge=2)]
    batch_size: PositiveInt
    classifier: Literal["shipped", "trained"]
    samples_from: dict[SampleName, Annotated[str, Field(min_length=1)]]
    kid: KIDConfig
    neighbours: PositiveInt
    extrapolation_sizes: Annotated[int, Field(ge=4)]
    memory_megabytes: PositiveInt
    inception: bool
    inception_weights: str | None
    inception_sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{8,64}$")]
    inception_download: bool
    seed: Seed
    device: str
