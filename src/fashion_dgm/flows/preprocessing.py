"""From 8-bit pixels to the real line: dequantisation and the logit."""

# Derived in docs/theory/bits-per-dim.md, docs/theory/change-of-variables.md, docs/theory/elbo.md and
# docs/theory/likelihood-ood.md.

import math

import torch
from torch import Tensor

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.bijection import Bijection

__all__ = ["Logit", "dequantize", "quantize", "to_bits_per_dim"]


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
    interval, hence `quantize(dequantize(images))` is `images`.

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


def quantize(images: Tensor) -> Tensor:
    """Returns the grey level of each value of a flow's samples, `floor(256 x)`: the inverse of `dequantize`.

    `round(255 x)` would make half of all black pixels grey level 1, which costs the flow's own samples half a bit per pixel.

    Arguments:
        images: floats in `[0, 1]`, any shape.

    Returns:
        uint8 in 0..255, of the same shape and on the same device.
    """
    return (LEVELS * images).floor().clamp(0, LEVELS - 1).to(torch.uint8)


def to_bits_per_dim(log_prob: Tensor, dimensions: int) -> Tensor:
    """Returns `-(log_prob - D ln 256) / (D ln 2)`, the bits that a pixel costs: 8 for the uniform density.

    Arguments:
        log_prob: log-density in nats of images in the unit interval, any shape.
        dimensions: number D of values in an image.
    """
    return math.log2(LEVELS) - log_prob / (dimensions * math.log(2))


class Logit(Bijection):
    r"""The logit of an image shrunk into the open interval: `y = logit(p)`, with `p = alpha + (1 - 2 alpha) x`.

    `log |dy/dx| = log(1 - 2 alpha) - log(p) - log(1 - p)` for each value. Dinh et al., 2017, section 4.1, with `1 - 2
    alpha` in the place of their `1 - alpha`, so that black and white are treated alike and 1 stays finite.

    The map is onto `[logit(alpha), logit(1 - alpha)]` only. What mass the latent density has beyond is lost, so the
    likelihood that a flow reports is a lower bound of its normalised one; with alpha at 1e-6 the ends lie at -13.8 and
    13.8. The log-determinant belongs in the likelihood, and figures of different alpha are comparable only with it.

    Arguments:
        alpha: distance kept from 0 and 1, in `(0, 0.5)`.

    Raises:
        FashionDGMError: if alpha lies outside.
    """

    def __init__(self, alpha: float) -> None:
        super().__init__()
        if not 0 < alpha < 0.5:
            raise FashionDGMError(f"alpha of the logit must lie in (0, 0.5), not be {alpha}")
        self.alpha = alpha

    def forward(self, x: Tensor, probes: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Takes `(N, ...)` in `[0, 1]` to the same shape; values outside give NaN."""
        span = 1 - 2 * self.alpha
        # 1 - p would keep one digit of 1 - x near white, where p rounds; this form is as exact as that near black.
        log_p = torch.log(self.alpha + span * x)
        log_q = torch.log(self.alpha + span * (1 - x))
        contribution = (math.log(span) - log_p - log_q).to(torch.promote_types(x.dtype, torch.float32))
        return log_p - log_q, contribution.flatten(1).sum(1)

    def inverse(self, y: Tensor) -> Tensor:
        """Takes `(N, ...)` to the same shape in `[0, 1]`; latents beyond the image of the map go to its nearer end."""
        return ((torch.sigmoid(y) - self.alpha) / (1 - 2 * self.alpha)).clamp(0, 1)

    def extra_repr(self) -> str:
        """Shows alpha."""
        return f"alpha={self.alpha}"
