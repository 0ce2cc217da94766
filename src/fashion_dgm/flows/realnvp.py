"""RealNVP."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from fashion_dgm.config import RealNVPConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.actnorm import ActNorm
from fashion_dgm.flows.bijection import Bijection, Chain
from fashion_dgm.flows.conditioner import ResidualConditioner
from fashion_dgm.flows.coupling import AffineCoupling
from fashion_dgm.flows.dequantize import dequantize, to_bits_per_dim
from fashion_dgm.flows.logit import Logit
from fashion_dgm.flows.mixture_coupling import MixtureCoupling
from fashion_dgm.flows.multiscale import MultiScale
from fashion_dgm.flows.partition import ChannelHalves, Checkerboard, Partition
from fashion_dgm.flows.squeeze import Squeeze

__all__ = ["RealNVP"]

Shape = tuple[int, int, int]


class RealNVP(Bijection):
    """A normalizing flow of couplings over several scales, with an exact likelihood and a one-pass sampler.

    The image goes through a logit, then through the scales. Each scale has couplings over alternating checkerboards, a
    squeeze, couplings over alternating channel halves, and hands half of its channels to the latents; the last one
    hands over all. On 28x28 images with 2 scales the networks work at 14x14, 14x14, 7x7 and 7x7.

    Dinh et al., 2017, "Density estimation using Real NVP". What differs from the paper:

    - ActNorm before each coupling in the place of batch normalisation, in and between the networks, and neither weight
      normalisation nor skip connections to the output: `log_prob` is a function of one image alone.
    - The last scale is like the others; the paper's has four checkerboard couplings and no squeeze.
    - A checkerboard has halves of one size only where height and width are even. A last scale of odd size (7x7, the
      third one of 28x28) has no squeeze, and channel couplings in the place of its checkerboard couplings.
    - On request, couplings by mixtures of logistics, and networks that know the place of a pixel (Ho et al., 2019).

    Arguments:
        config: scales, couplings a scale, width and depth of the networks, alpha of the logit.
        shape: `(C, H, W)` of an image.

    Raises:
        FashionDGMError: if the shape can't be halved as often as `config.scales` asks, or no coupling is left.

    Example:
        >>> from fashion_dgm.config import RealNVPConfig
        >>> from fashion_dgm.flows import RealNVP
        >>> config = RealNVPConfig(
        ...     scales=2, checkerboard_couplings=4, channel_couplings=4, hidden_channels=32, residual_blocks=2,
        ...     logit_alpha=1e-6,
        ... )
        >>> flow = RealNVP(config)
        >>> flow.sample(16).shape
        torch.Size([16, 1, 28, 28])
    """

    def __init__(self, config: RealNVPConfig, shape: Shape = (1, 28, 28)) -> None:
        super().__init__()
        if config.checkerboard_couplings + config.channel_couplings == 0:
            raise FashionDGMError(
                "a RealNVP without couplings has nothing to learn; set checkerboard_couplings or channel_couplings "
                "above 0"
            )
        self.config = config
        self.shape = shape
        self.dimensions = math.prod(shape)
        self.bijection = Chain(Logit(config.logit_alpha), _multi_scale(config, shape))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Maps images to latents.

        Arguments:
            x: floats in `[0, 1]`, `(N, C, H, W)`.

        Returns:
            Latents `(N, C H W)`, and the log-determinant `(N,)` in nats, both in the dtype of the parameters.

        Raises:
            FashionDGMError: if x holds no floats or has another shape. The range is not checked, as that would wait
                for the device; values outside give NaN.
        """
        if not x.is_floating_point():
            raise FashionDGMError(
                f"the density is one of floats in [0, 1], not of {x.dtype}; for uint8 pixels use bits_per_dim"
            )
        self._check_shape(x)
        z, log_det = self.bijection(x.to(self._reference.dtype))
        return z, log_det

    def inverse(self, y: Tensor) -> Tensor:
        """Maps latents `(N, C H W)` to images `(N, C, H, W)` in `[0, 1]`.

        Raises:
            FashionDGMError: if the latents have another shape.
        """
        if y.ndim != 2 or y.shape[1] != self.dimensions:
            raise FashionDGMError(f"latents must have shape (N, {self.dimensions}), not {tuple(y.shape)}")
        return self.bijection.inverse(y.to(self._reference.dtype))

    def log_prob(self, x: Tensor) -> Tensor:
        """Returns the log-density of images in nats, `(N,)`, in float32 or, if the flow is, in float64.

        In training mode the first call sets the ActNorm layers from its batch.

        Arguments:
            x: floats in `[0, 1]`, `(N, C, H, W)`.

        Raises:
            FashionDGMError: as `forward`.
        """
        z, log_det = self(x)
        return log_det - 0.5 * (z.square().sum(1) + self.dimensions * math.log(2 * math.pi))

    def bits_per_dim(self, images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Returns the bits per dimension of 8-bit images under one draw of uniform dequantisation, `(N,)`.

        Arguments:
            images: uint8 in 0..255, `(N, C, H, W)`.
            generator: source of the noise; torch's own of the images' device if None.

        Raises:
            FashionDGMError: if images are not uint8 or have another shape.
        """
        self._check_shape(images)
        log_prob = self.log_prob(dequantize(images, generator, self._reference.dtype))
        return to_bits_per_dim(log_prob, self.dimensions)

    @torch.no_grad()
    def sample(self, n: int, temperature: float = 1.0, generator: torch.Generator | None = None) -> Tensor:
        """Draws images by one pass of latents `temperature * N(0, I)` through the inverse.

        A temperature below 1 gives more typical, less varied images (Kingma and Dhariwal, 2018); they are no longer
        samples of the density that `log_prob` reports.

        Arguments:
            n: number of images, held in memory at once.
            temperature: standard deviation of the latents, above 0.
            generator: source of the latents; torch's own of the flow's device if None. One on the CPU gives the same
                latents whatever device the flow is on.

        Returns:
            Floats in `[0, 1]`, `(n, C, H, W)`.

        Raises:
            FashionDGMError: if n is below 1 or the temperature not above 0.
        """
        if n < 1:
            raise FashionDGMError(f"the number of samples must be at least 1, not {n}")
        if not 0 < temperature < math.inf:
            raise FashionDGMError(f"the temperature must be a number above 0, not {temperature}")
        reference = self._reference
        device = reference.device if generator is None else generator.device
        latents = torch.randn(n, self.dimensions, generator=generator, device=device, dtype=reference.dtype)
        return self.inverse(temperature * latents.to(reference.device))

    @property
    def _reference(self) -> Tensor:
        return next(self.parameters())

    def _check_shape(self, x: Tensor) -> None:
        if tuple(x.shape[1:]) != self.shape:
            channels, height, width = self.shape
            raise FashionDGMError(f"images must have shape (N, {channels}, {height}, {width}), not {tuple(x.shape)}")


def _multi_scale(config: RealNVPConfig, shape: Shape) -> MultiScale:
    scales, shapes = [], []
    for index in range(config.scales):
        last = index == config.scales - 1
        channels, height, width = shape
        if height % 2 == 0 and width % 2 == 0:
            squeezed = (4 * channels, height // 2, width // 2)
            layers = [
                *_couplings(config, Checkerboard, config.checkerboard_couplings, shape),
                Squeeze(),
                *_couplings(config, ChannelHalves, config.channel_couplings, squeezed),
            ]
            shape = squeezed
        elif last:
            count = config.checkerboard_couplings + config.channel_couplings
            layers = _couplings(config, ChannelHalves, count, shape)
        else:
            raise FashionDGMError(
                f"scale {index + 1} of {config.scales} would have to squeeze {height}x{width}, which needs even height "
                f"and width; set scales to {index + 1} or less"
            )
        scales.append(Chain(*layers))
        shapes.append(shape)
        shape = (shape[0] // 2, *shape[1:])
    return MultiScale(scales, shapes)


def _couplings(
    config: RealNVPConfig, partition: Callable[[int], Partition], count: int, shape: Shape
) -> list[Bijection]:
    layers: list[Bijection] = []
    for index in range(count):
        part = partition(index % 2)
        half, height, width = part.split(torch.empty(1, *shape))[0].shape[1:]
        parts = 2 if config.coupling == "affine" else MixtureCoupling.parts(config.components)
        size = (height, width) if config.position else None
        conditioner = ResidualConditioner(half, config.hidden_channels, parts * half, config.residual_blocks, size)
        coupling = (
            AffineCoupling(part, conditioner)
            if config.coupling == "affine"
            else MixtureCoupling(part, conditioner, config.components)
        )
        layers += [ActNorm(shape[0]), coupling]
    return layers
