"""Typicality of groups of images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.errors import FashionDGMError

__all__ = ["group_typicality"]


def group_typicality(bits: NDArray[np.floating], typical: float, size: int, seed: int) -> NDArray[np.float64]:
    """Returns how far the mean bits/dim of each group of images is from that of training images.

    Groups are of images of one set, put together by chance and disjoint; what is left over is in none. A mean of many
    varies less, so groups are detected more easily than single images: results of different sizes do not compare. Nalisnick
    et al., 2019, "Detecting out-of-distribution inputs to deep generative models using typicality", equation 4, two-sided.

    Arguments:
        bits: bits/dim of each image, `(N,)`.
        typical: mean bits/dim of training images.
        size: images in a group.
        seed: of the groups.

    Returns:
        float64, `(N // size,)`.

    Raises:
        FashionDGMError: if there are fewer images than one group.
    """
    groups = len(bits) // size
    if groups == 0:
        raise FashionDGMError(f"{len(bits)} images make no group of {size}")
    order = np.random.default_rng(seed).permutation(len(bits))[: groups * size]
    return np.abs(bits[order].reshape(groups, size).mean(axis=1) - typical)
