"""Randomness of the out-of-distribution sets: that of one does not depend on which others there are."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["choose", "random_numbers"]


def random_numbers(seed: int, purpose: str) -> np.random.Generator:
    """A generator that differs for every seed and purpose."""
    return np.random.default_rng([seed, *purpose.encode()])


def choose(count: int, most: int, seed: int) -> NDArray[np.int64]:
    """Chooses `most` of `count` images by chance, or all: sorted indices.

    The first ones would not do: published sets are sorted by class, alphabet or writer.
    """
    if count <= most:
        return np.arange(count, dtype=np.int64)
    return np.sort(random_numbers(seed, "choose").choice(count, most, replace=False).astype(np.int64))
