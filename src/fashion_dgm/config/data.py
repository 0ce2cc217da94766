"""Parameters of the data."""

from __future__ import annotations

from typing import Literal

from fashion_dgm.config.base import Config, Fraction, Seed

__all__ = ["DataSplitConfig"]


class DataSplitConfig(Config):
    """How the pool of official images is cut in two."""

    pool: Literal["train", "all"]
    test_fraction: Fraction
    seed: Seed
