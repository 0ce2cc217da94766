"""Between 8-bit pixels and a continuous density."""

# Derived in docs/theory/bits-per-dim.md and docs/theory/elbo.md.

from __future__ import annotations

import math

import torch
from torch import Tensor

from fashion_dgm.errors import FashionDGMError

__all__ = ["dequantize", "to_bits_per_dim"]

LEVELS = 256
# 8 bits of pixel and 16 of noise fill the 24 bits of a float32 significand.
NOISE_STEPS = 2**16


def dequantize(images: Tensor, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float32) -> Tensor:
    """Spreads every pixel uniformly over its own 1/256 of the unit interval: `(x + u) / 256` with `u` in `[0, 1)`.

    A density on discrete values can be made as high as one likes; on dequantised ones, the mean of `log p - D log 256` over
    the noise bounds the log-probability of the pixels from below (Theis et al., 2016, "A note on the evaluation of
    generative models", section 3.1). The divisor is 256, the number of intervals.
    `fashion_dgm.data.images.to_unit_interval` divides by 255, which makes white exactly 1: right for a GAN, whose images end
    in a closed range, while here it would leave white, with its noise, above 1.

    The noise is a multiple of 2**-16, so the sum is exact in float32: it never rounds to 1 and never leaves its
    interval, hence `floor(256 * dequantize(images))` is `images`.

    Arguments:
        images: uint8 in 0..255, any shape, any device.
        generator: source of the noise; torch's own of the images' device if None. One on the CPU gives the same noise
            whatever device the images are on.
        dtype: of the result, float32 or float64.

    Returns:
        Floats in `[0, 1)`, of the shape and on the device of `images`.

    Raises:
        FashionDGMError: if images are not uint8.
    """
    if images.dtype != torch.uint8:
        raise FashionDGMError(f"only uint8 pixels in 0..255 can be dequantised, not {images.dtype}")
    device = images.device if generator is None else generator.device
    noise = torch.randint(NOISE_STEPS, images.shape, generator=generator, device=device, dtype=torch.float32)
    return (images.to(dtype) + noise.to(images.device, dtype) / NOISE_STEPS) / LEVELS


def to_bits_per_dim(log_prob: Tensor, dimensions: int) -> Tensor:
    """Returns `-(log_prob - D ln 256) / (D ln 2)`, the bits that a pixel costs: 8 for the uniform density.

    Arguments:
        log_prob: log-density in nats of images in the unit interval, any shape.
        dimensions: number D of values in an image.
    """
    return math.log2(LEVELS) - log_prob / (dimensions * math.log(2))
