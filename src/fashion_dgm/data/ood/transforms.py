"""In-distribution images turned into OOD images: the same pixels, or their negatives, in other places.

What these sets ask of a score differs: a flip keeps all local structure and moves the object out of its usual pose, a
negative keeps all edges and turns every value, and a permutation keeps each image's histogram and destroys all else.

A new transform is a function here, under `transform`. Its name is that of the parameter.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.data.ood.chance import random_numbers

__all__ = ["TRANSFORMS", "Transform", "transform"]

Apply = Callable[["NDArray[np.uint8]", int], "NDArray[np.uint8]"]


@dataclass(frozen=True)
class Transform:
    """A way to make OOD images.

    Arguments:
        title: what tables and figures add to the name of the images' set.
        conversion: what is done to an image, for the summary.
        apply: takes images, uint8 `(N, 1, H, W)`, and the seed of any chance in it to images of that shape and type.
    """

    title: str
    conversion: str
    apply: Apply


TRANSFORMS: dict[str, Transform] = {}
"""All transforms by name."""


def transform(title: str, conversion: str) -> Callable[[Apply], Apply]:
    """Enters the function below into `TRANSFORMS`."""

    def enter(apply: Apply) -> Apply:
        TRANSFORMS[apply.__name__] = Transform(title, conversion, apply)
        return apply

    return enter


@transform("upside down", "turned upside down: rows in reverse order")
def vertical_flip(images: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(images[:, :, ::-1, :])


@transform("mirrored", "mirrored: columns in reverse order")
def horizontal_flip(images: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(images[:, :, :, ::-1])


@transform("inverted", "inverted: 255 minus each pixel")
def inverted(images: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    return 255 - images


@transform("shuffled", "pixels in another order, one permutation for all images")
def shuffled(images: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    pixels = images.reshape(len(images), -1)
    order = random_numbers(seed, "permutation").permutation(pixels.shape[1])
    return pixels[:, order].reshape(images.shape)
