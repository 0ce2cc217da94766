"""In-distribution images turned into OOD images: the same pixels, or their negatives, in other places.

What these sets ask of a score differs: a flip keeps all local structure and moves the object out of its usual pose, a
negative keeps all edges and turns every value, and a permutation keeps each image's histogram and destroys all else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fashion_dgm.data.ood.chance import random_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HOW", "transform"]

HOW = {
    "vertical_flip": "turned upside down: rows in reverse order",
    "horizontal_flip": "mirrored: columns in reverse order",
    "inverted": "inverted: 255 minus each pixel",
    "shuffled": "pixels in another order, one permutation for all images",
}


def transform(images: NDArray[np.uint8], name: str, seed: int) -> NDArray[np.uint8]:
    """Applies one of `HOW` to images.

    Arguments:
        images: uint8 `(N, 1, H, W)`.
        name: a key of `HOW`.
        seed: of the permutation.

    Returns:
        uint8 `(N, 1, H, W)`.
    """
    match name:
        case "vertical_flip":
            return np.ascontiguousarray(images[:, :, ::-1, :])
        case "horizontal_flip":
            return np.ascontiguousarray(images[:, :, :, ::-1])
        case "inverted":
            return 255 - images
        case "shuffled":
            pixels = images.reshape(len(images), -1)
            order = random_numbers(seed, "permutation").permutation(pixels.shape[1])
            return pixels[:, order].reshape(images.shape)
    raise KeyError(name)
