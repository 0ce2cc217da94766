"""Labelled images at rest (uint8) and in models (`[0, 1]` floats)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.errors import FashionDGMError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FASHION_CLASSES", "IN_DISTRIBUTION", "ImageSet", "choose_set", "to_unit_interval"]

IN_DISTRIBUTION = "fashion_mnist"
"""Name of the benchmark in tables of image sets, where models were trained on FashionMNIST."""

FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Greyscale images with their labels.

    Arguments:
        images: uint8 in 0..255, `(N, 1, H, W)`.
        labels: uint8, `(N,)`.
        name: of the data set that they are from, as tables have it, such as `fashion_mnist`.

    Raises:
        FashionDGMError: if shapes or dtypes are others, or there are no images.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    name: str = "images"

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or self.images.shape[1] != 1:
            raise FashionDGMError(
                f"images must be uint8 of shape (N, 1, H, W), not {self.images.dtype} of shape {self.images.shape}"
            )
        if self.labels.dtype != np.uint8 or self.labels.shape != self.images.shape[:1]:
            raise FashionDGMError(
                f"{len(self.images)} images need as many uint8 labels, not {self.labels.dtype} of shape "
                f"{self.labels.shape}"
            )
        if len(self.images) == 0:
            raise FashionDGMError("an image set must hold at least one image")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def sha256(self) -> str:
        """Hash of shape, pixels and labels, not of the name, in hexadecimal: what a run was trained on."""
        digest = hashlib.sha256(repr(self.images.shape).encode())
        digest.update(self.images.tobytes())
        digest.update(self.labels.tobytes())
        return digest.hexdigest()

    def take(self, index: NDArray[np.integer] | slice) -> ImageSet:
        """The images at `index`, in that order."""
        return ImageSet(self.images[index], self.labels[index], self.name)


def choose_set(sets: Mapping[str, ImageSet], name: str) -> ImageSet:
    """Returns the set of that name.

    Raises:
        FashionDGMError: if there is none; the message lists those that there are.
    """
    if name not in sets:
        raise FashionDGMError(f"there is no set {name!r} among the out-of-distribution sets {', '.join(sorted(sets))}")
    return sets[name]


def to_unit_interval(images: Tensor) -> Tensor:
    """Maps uint8 pixels in 0..255 to floats in `[0, 1]`, shape unchanged."""
    return images.float().div_(255.0)
