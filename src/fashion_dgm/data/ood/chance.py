"""Randomness of the out-of-distribution sets: that of one does not depend on which others there are."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["choose", "random_numbers"]


def random_numbers(seed: int, purpose: str) -> np.random.Generator:
    """A generator that differs for every seed and purpose."""
    return np.random.default_rng([seed, *purpose.encode()])


def choose(count: int, most: int, seed: int) -> NDArray[np.int64]:
    """Chooses `most` of `count` images by chance, or all: indices in random order.

    The first ones would not do: published sets are sorted by class, alphabet or writer. For the same reason the order is
    random, since an evaluation may take the first images of a set; and a smaller choice is the beginning of a larger one.
    """
    return random_numbers(seed, "choose").permutation(count)[:most].astype(np.int64)
