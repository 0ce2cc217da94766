"""Images that are not from elsewhere at all: exact copies of known ones."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["fraction_in", "hashes"]


def hashes(images: NDArray[np.uint8]) -> list[bytes]:
    """A hash of the pixels of each image, uint8 `(N, 1, H, W)`."""
    return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]


def fraction_in(images: list[bytes], known: set[bytes]) -> float:
    """The fraction of images, by their hashes, that are pixel for pixel among the known ones: in `[0, 1]`."""
    return sum(image in known for image in images) / len(images)
