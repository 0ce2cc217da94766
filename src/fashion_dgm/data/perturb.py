"""Images made darker, more alike or smoother, by exact definitions; and images of which only the background is left.

The former take uint8 `(N, 1, H, W)` in 0..255, compute in float64, round half to even, clip to 0..255, and return uint8
of the same shape. The neutral strength gives the images back bit for bit.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fashion_dgm.errors import FashionDGMError

__all__ = ["PERTURBATIONS", "brighten", "mutate", "scale_spread", "smooth"]

Images = NDArray[np.uint8]


def brighten(images: Images, factor: float) -> Images:
    """Multiplies every pixel by `factor`: 1 changes nothing, 0 is black; what exceeds 255 is cut there."""
    _check_not_negative("the factor of a brightness", factor)
    return _to_bytes(factor * images.astype(np.float64))


def scale_spread(images: Images, factor: float) -> Images:
    """Scales every image's deviation from the mean image of the set by `factor`: `x -> m + factor (x - m)`.

    1 changes nothing, 0 leaves the mean image alone. Up to 1 nothing is clipped: the set keeps its mean, and its covariance
    is multiplied by `factor^2`, both to rounding, as docs/theory/likelihood-ood.md#the-second-order-argument asks.
    """
    _check_not_negative("the factor of a spread", factor)
    mean = images.mean(axis=0, keepdims=True, dtype=np.float64)
    return _to_bytes(mean + factor * (images - mean))


def smooth(images: Images, sigma: float) -> Images:
    """Convolves every image with a Gaussian of standard deviation `sigma` pixels; 0 changes nothing.

    The kernel ends at 4 sigma; beyond its border an image goes on with its outermost pixels.
    """
    _check_not_negative("the width of a blur", sigma)
    blurred = ndimage.gaussian_filter(images.astype(np.float64), sigma=(0, 0, sigma, sigma), mode="nearest")
    return _to_bytes(blurred)


PERTURBATIONS: dict[str, tuple[Callable[[Images, float], Images], float]] = {
    "brightness": (brighten, 1.0),
    "spread": (scale_spread, 1.0),
    "blur": (smooth, 0.0),
}
"""Name to the function and the strength at which it changes nothing."""


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


def _to_bytes(values: NDArray[np.float64]) -> Images:
    return np.rint(values).clip(0, 255).astype(np.uint8)


def _check_not_negative(what: str, value: float) -> None:
    if not value >= 0:
        raise FashionDGMError(f"{what} must be 0 or more, not {value}")
