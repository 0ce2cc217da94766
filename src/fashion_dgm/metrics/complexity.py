"""How complicated an image is, without a model."""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["COMPLEXITIES", "black_fraction", "png_bits", "total_variation"]

Images = NDArray[np.uint8]
Array = NDArray[np.float64]


def png_bits(images: Images) -> Array:
    """Returns the bits/pixel of each image `(N, 1, H, W)` as an 8-bit PNG at the highest compression level, `(N,)`.

    The file is counted as a whole; head and end take 57 bytes of it, the same for every image. Such a length is an upper
    bound of the image's complexity in Kolmogorov's sense, up to a constant; Serrà et al., 2020, "Input complexity and
    out-of-distribution detection with likelihood-based generative models", hold likelihoods against it.
    """
    return 8.0 * np.array([_png_bytes(image[0]) for image in images]) / images[0].size


def total_variation(images: Images) -> Array:
    """Returns the mean absolute difference between horizontal and vertical neighbours, in grey levels, `(N,)`."""
    values = images.astype(np.float64)
    across, down = (np.abs(np.diff(values, axis=axis)) for axis in (3, 2))
    return (across.sum((1, 2, 3)) + down.sum((1, 2, 3))) / (across[0].size + down[0].size)


def black_fraction(images: Images) -> Array:
    """Returns the fraction of pixels that are 0, in `[0, 1]`, `(N,)`."""
    return (images == 0).mean((1, 2, 3))


COMPLEXITIES: dict[str, Callable[[Images], Array]] = {
    "png_bits": png_bits,
    "total_variation": total_variation,
    "black_fraction": black_fraction,
}
"""Name to measure; the last falls with complexity, the others rise."""


def _png_bytes(image: Images) -> int:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG", compress_level=9)
    return len(buffer.getvalue())
