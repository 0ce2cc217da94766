"""Images of which only the background is left."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.errors import FashionDGMError

__all__ = ["mutate"]


def mutate(images: NDArray[np.uint8], rate: float, seed: int) -> NDArray[np.uint8]:
    """Replaces each pixel, with probability `rate` and on its own, by one that is uniform over 0..255.

    Ren et al., 2019, "Likelihood ratios for out-of-distribution detection", section 3.1.

    Arguments:
        images: uint8, any shape.
        rate: in `[0, 1]`.
        seed: of which pixels, and of what they become.

    Raises:
        FashionDGMError: if the rate lies outside.
    """
    if not 0 <= rate <= 1:
        raise FashionDGMError(f"the mutation rate must lie in [0, 1], not be {rate}")
    rng = np.random.default_rng(seed)
    hit = rng.random(images.shape, dtype=np.float32) < rate
    return np.where(hit, rng.integers(0, 256, images.shape, dtype=np.uint8), images)
