"""How long the code of an image is under lossless coders of images."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any, NamedTuple

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from fashion_dgm.errors import FashionDGMError

__all__ = ["CODERS", "Coder", "coded_bits_per_dim"]

# The coders let go of Python's lock; more threads than this gain nothing on images as small as ours.
THREADS = min(4, os.cpu_count() or 1)


class Coder(NamedTuple):
    """A lossless code: `decode(encode(image))` is `image`, uint8 `(H, W)`."""

    encode: Callable[[NDArray[np.uint8]], bytes | bytearray]
    decode: Callable[[bytes | bytearray], NDArray[Any]]


CODERS: Mapping[str, Coder] = MappingProxyType(
    {
        "png": Coder(lambda image: imagecodecs.png_encode(image, level=9), imagecodecs.png_decode),
        "jpeg_ls": Coder(lambda image: imagecodecs.jpegls_encode(image, level=0), imagecodecs.jpegls_decode),
        "jpeg_xl": Coder(
            lambda image: imagecodecs.jpegxl_encode(image, lossless=True, effort=3, numthreads=1),
            imagecodecs.jpegxl_decode,
        ),
    }
)


def coded_bits_per_dim(images: NDArray[np.uint8], coders: Sequence[str]) -> NDArray[np.float64]:
    """Returns the bits a pixel that the shortest of several codes of an image takes, headers included.

    A general coder of images has no model of clothes, so its length measures how complex an image is; the ensemble's
    minimum bounds the complexity more tightly than any one. Serrà et al., 2020, "Input complexity and out-of-distribution
    detection with likelihood-based generative models", section 4.

    Arguments:
        images: uint8 `(N, 1, H, W)`.
        coders: keys of `CODERS`.

    Returns:
        float64, `(N,)`.

    Raises:
        FashionDGMError: if there is no coder, or one of an unknown name.
    """
    unknown = [name for name in coders if name not in CODERS]
    if unknown or not coders:
        raise FashionDGMError(f"coders must be some of {', '.join(CODERS)}, not {', '.join(unknown) or 'none'}")
    chosen = [CODERS[name].encode for name in coders]

    def shortest(image: NDArray[np.uint8]) -> int:
        return min(len(encode(image)) for encode in chosen)

    with ThreadPoolExecutor(THREADS) as pool:
        lengths = list(pool.map(shortest, np.ascontiguousarray(images[:, 0]), chunksize=64))
    return 8.0 * np.array(lengths, np.float64) / np.prod(images.shape[1:])
