"""RealNVP."""

# Derived in docs/theory/change-of-variables.md.

from __future__ import annotations

from collections.abc import Callable

import torch

from fashion_dgm.config import RealNVPConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.actnorm import ActNorm
from fashion_dgm.flows.bijection import Bijection, Chain
from fashion_dgm.flows.conditioner import ResidualConditioner
from fashion_dgm.flows.coupling import AffineCoupling
from fashion_dgm.flows.flow import Flow, Shape
from fashion_dgm.flows.logit import Logit
from fashion_dgm.flows.mixture_coupling import MixtureCoupling
from fashion_dgm.flows.multiscale import MultiScale
from fashion_dgm.flows.partition import ChannelHalves, Checkerboard, Partition
from fashion_dgm.flows.squeeze import Squeeze

__all__ = ["RealNVP"]


class RealNVP(Flow):
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

    config: RealNVPConfig

    def __init__(self, config: RealNVPConfig, shape: Shape = (1, 28, 28)) -> None:
        if config.checkerboard_couplings + config.channel_couplings == 0:
            raise FashionDGMError(
                "a RealNVP without couplings has nothing to learn; set checkerboard_couplings or channel_couplings "
                "above 0"
            )
        super().__init__(config, shape, Chain(Logit(config.logit_alpha), _multi_scale(config, shape)))


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
