"""Flows of couplings over several scales: RealNVP and the mixture flow."""

# Derived in docs/theory/change-of-variables.md.

from collections.abc import Callable
from functools import partial

import torch

from fashion_dgm.config import CouplingFlowConfig, MixtureFlowConfig, RealNVPConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.actnorm import ActNorm
from fashion_dgm.flows.bijection import Bijection, Chain, MultiScale
from fashion_dgm.flows.coupling import AffineCoupling, MixtureCoupling, ResidualConditioner
from fashion_dgm.flows.flow import Flow, Shape
from fashion_dgm.flows.partition import ChannelHalves, Checkerboard, Partition, Squeeze
from fashion_dgm.flows.preprocessing import Logit

__all__ = ["CouplingFlow", "MixtureFlow", "RealNVP"]


MakeCoupling = Callable[[Partition, ResidualConditioner], Bijection]


class CouplingFlow(Flow):
    """A normalizing flow of couplings over several scales.

    The image goes through a logit, then through the scales. Each scale has couplings over alternating checkerboards, a
    squeeze, couplings over alternating channel halves, and hands half of its channels to the latents; the last one
    hands over all. On 28x28 images with 2 scales the networks work at 14x14, 14x14, 7x7 and 7x7.

    Arguments:
        config: scales, couplings a scale, width and depth of the networks, alpha of the logit.
        shape: `(C, H, W)` of an image.
        coupling: makes a coupling of a partition and the network of its parameters.
        parts: how many channels that network returns for each one that is changed.

    Raises:
        FashionDGMError: if the shape can't be halved as often as `config.scales` asks, or no coupling is left.
    """

    def __init__(self, config: CouplingFlowConfig, shape: Shape, coupling: MakeCoupling, parts: int) -> None:
        if config.checkerboard_couplings + config.channel_couplings == 0:
            raise FashionDGMError(
                f"a {type(self).__name__} without couplings has nothing to learn; set checkerboard_couplings or "
                "channel_couplings above 0"
            )
        layers = _multi_scale(config, shape, coupling, parts)
        super().__init__(config, shape, Chain(Logit(config.logit_alpha), layers))


def _multi_scale(config: CouplingFlowConfig, shape: Shape, coupling: MakeCoupling, parts: int) -> MultiScale:
    def couplings(partition: Callable[[int], Partition], count: int, shape: Shape) -> list[Bijection]:
        layers: list[Bijection] = []
        for index in range(count):
            part = partition(index % 2)
            half, height, width = part.split(torch.empty(1, *shape))[0].shape[1:]
            size = (height, width) if config.position else None
            conditioner = ResidualConditioner(half, config.hidden_channels, parts * half, config.residual_blocks, size)
            layers += [ActNorm(shape[0]), coupling(part, conditioner)]
        return layers

    scales, shapes = [], []
    for index in range(config.scales):
        channels, height, width = shape
        if height % 2 == 0 and width % 2 == 0:
            squeezed = (4 * channels, height // 2, width // 2)
            layers = [
                *couplings(Checkerboard, config.checkerboard_couplings, shape),
                Squeeze(),
                *couplings(ChannelHalves, config.channel_couplings, squeezed),
            ]
            shape = squeezed
        elif index == config.scales - 1:
            layers = couplings(ChannelHalves, config.checkerboard_couplings + config.channel_couplings, shape)
        else:
            raise FashionDGMError(
                f"scale {index + 1} of {config.scales} would have to squeeze {height}x{width}, which needs even height "
                f"and width; set scales to {index + 1} or less"
            )
        scales.append(Chain(*layers))
        shapes.append(shape)
        shape = (shape[0] // 2, *shape[1:])
    return MultiScale(scales, shapes)


class RealNVP(CouplingFlow):
    """A flow of affine couplings over several scales, with an exact density and a one-pass sampler.

    Dinh et al., 2017, "Density estimation using Real NVP". What differs from the paper:

    - ActNorm before each coupling in the place of batch normalisation, in and between the networks, and neither weight
      normalisation nor skip connections to the output: `log_prob` is a function of one image alone.
    - The last scale is like the others; the paper's has four checkerboard couplings and no squeeze.
    - A checkerboard has halves of one size only where height and width are even. A last scale of odd size (7x7, the
      third one of 28x28) has no squeeze, and channel couplings in the place of its checkerboard couplings.
    - On request, the networks have the place of a pixel as an input (Ho et al., 2019).

    Arguments:
        config: scales, couplings a scale, width and depth of the networks, alpha of the logit.
        shape: `(C, H, W)` of an image.

    Raises:
        FashionDGMError: as `CouplingFlow`.

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

    config_type = RealNVPConfig
    config: RealNVPConfig

    def __init__(self, config: RealNVPConfig, shape: Shape = (1, 28, 28)) -> None:
        super().__init__(config, shape, AffineCoupling, parts=2)


class MixtureFlow(CouplingFlow):
    """The scales of `RealNVP` with couplings by mixtures of logistics, whose inverse is found by iteration.

    The couplings are those of Ho et al., 2019, "Flow++". What differs from that paper: the networks are RealNVP's,
    without attention, and dequantisation is uniform.

    Arguments:
        config: that of RealNVP, and the logistics of each mixture.
        shape: `(C, H, W)` of an image.

    Raises:
        FashionDGMError: as `CouplingFlow`.

    Example:
        >>> from fashion_dgm.config import MixtureFlowConfig
        >>> from fashion_dgm.flows import MixtureFlow
        >>> config = MixtureFlowConfig(
        ...     scales=2, checkerboard_couplings=3, channel_couplings=3, hidden_channels=32, residual_blocks=1,
        ...     logit_alpha=1e-6, components=4, position=True,
        ... )
        >>> flow = MixtureFlow(config)
        >>> flow.sample(16).shape
        torch.Size([16, 1, 28, 28])
    """

    config_type = MixtureFlowConfig
    config: MixtureFlowConfig

    def __init__(self, config: MixtureFlowConfig, shape: Shape = (1, 28, 28)) -> None:
        coupling = partial(MixtureCoupling, components=config.components)
        super().__init__(config, shape, coupling, MixtureCoupling.parts(config.components))
