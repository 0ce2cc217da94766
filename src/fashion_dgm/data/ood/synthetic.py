"""Images of nothing: noise and constants."""

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.data.ood.chance import random_numbers

__all__ = ["HOW", "synthesise"]

HOW = {
    "uniform_noise": "each pixel uniform over 0..255",
    "gaussian_noise": "each pixel normal, with mean and standard deviation of all training pixels, rounded, cut to 0..255",
    "black": "every pixel 0, one image many times",
    "white": "every pixel 255, one image many times",
    "grey_levels": "every pixel of an image alike: an image for each level of 0..255",
}
_LEVELS = 256


def synthesise(name: str, count: int, train: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """Makes one of `HOW`.

    Arguments:
        name: a key of `HOW`.
        count: how many images; of constants at most 256.
        train: uint8 `(N, 1, H, W)`, whose size, mean and standard deviation are taken.
        seed: of the noise.

    Returns:
        uint8 `(count, 1, H, W)`.
    """
    shape, constants = train.shape[1:], min(count, _LEVELS)
    match name:
        case "uniform_noise":
            return random_numbers(seed, name).integers(0, 256, (count, *shape), dtype=np.uint8)
        case "gaussian_noise":
            noise = random_numbers(seed, name).normal(train.mean(), train.std(), (count, *shape))
            return np.rint(noise).clip(0, 255).astype(np.uint8)
        case "black" | "white":
            return np.full((constants, *shape), 0 if name == "black" else 255, dtype=np.uint8)
        case "grey_levels":
            # Fewer than 256 are spread evenly, black and white among them.
            levels = np.linspace(0, 255, constants).round().astype(np.uint8)
            return np.broadcast_to(levels[:, None, None, None], (constants, *shape)).copy()
    raise KeyError(name)
