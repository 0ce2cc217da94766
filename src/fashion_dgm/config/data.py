"""Parameters of the split and of the out-of-distribution sets."""

import re
from typing import Annotated, Literal, get_args

from pydantic import Field, PositiveInt, field_validator

from fashion_dgm.config.base import Config, Fraction, Seed, split_words

__all__ = ["DataSplitConfig", "OODSetsConfig", "Published", "Synthetic"]

Published = Literal["mnist", "fashion_mnist", "digits", "kmnist", "emnist_letters", "omniglot"]
Synthetic = Literal["uniform_noise", "gaussian_noise", "black", "white", "grey_levels"]
# As a file's name on every system, a word in --params and in MLflow.
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

TAKEN_NAMES = {*get_args(Published), *get_args(Synthetic), "train", "test", "benchmark"}


class DataSplitConfig(Config):
    """How the pool of official images is cut in two."""

    pool: Literal["train", "all"] = Field(
        description="`train`, the official training images; `all` adds the official test images, which makes results "
        "incomparable with published ones"
    )
    test_fraction: Fraction = Field(description="fraction of the pool that is held out")
    seed: Seed


class OODSetsConfig(Config):
    """Which OOD sets there are: docs/how-to/own-images.md."""

    published: tuple[Published, ...] = Field(
        description="other data sets; those that cannot be downloaded are left out, with the reason"
    )
    transforms: tuple[str, ...] = Field(
        description="transforms of the in-distribution official test images: `fashion_dgm.data.ood.transforms`"
    )
    synthetic: tuple[Synthetic, ...] = Field(description="generated sets: noise and constants")
    folders: dict[str, Annotated[str, Field(min_length=1)]] = Field(
        description="your own sets, as `name: path` of images in any format and size, or of .npy or .npz files"
    )
    max_images: PositiveInt = Field(description="most images of each set; from more, a random subset is drawn")
    seed: Seed

    _one_word = field_validator("published", "transforms", "synthetic", mode="before")(split_words)

    @field_validator("published", "transforms", "synthetic")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is named twice")
        return names

    @field_validator("folders")
    @classmethod
    def _names_of_their_own(cls, folders: dict[str, str]) -> dict[str, str]:
        odd = [name for name in folders if not NAME.fullmatch(name)]
        if odd:
            raise ValueError(
                f"{odd[0]!r} cannot be the name of a set: use up to 40 lower-case letters, digits and underscores, "
                "beginning with a letter"
            )
        taken = sorted(TAKEN_NAMES & folders.keys())
        if taken:
            raise ValueError(
                f"{', '.join(taken)} is already the name of one of the project's sets; choose another name"
            )
        return folders
