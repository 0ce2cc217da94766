"""Residual Flow."""

from __future__ import annotations

import torch
from torch import nn

from fashion_dgm.config import ResidualFlowConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.actnorm import ActNorm
from fashion_dgm.flows.bijection import Bijection, Chain
from fashion_dgm.flows.flow import Flow, Shape
from fashion_dgm.flows.lipschitz import LipschitzConv2d, LipschitzLinear, LipSwish, update_norms
from fashion_dgm.flows.log_det_estimate import SeriesLogDet
from fashion_dgm.flows.logit import Logit
from fashion_dgm.flows.multiscale import MultiScale
from fashion_dgm.flows.residual import InvertibleResidual
from fashion_dgm.flows.squeeze import Squeeze

__all__ = ["ResidualFlow"]

# Probes of a likelihood in evaluation mode for which no generator is given: the same at every call.
EVALUATION_SEED = 0


class ResidualFlow(Flow):
    """A normalizing flow of invertible residual networks: no half of the image is left out of any layer.

    The image goes through a logit, then through the scales, with a squeeze between each two. A scale is an ActNorm and
    then residual blocks, each followed by an ActNorm. The last scale may end in fully connected blocks.

    The log-determinant is an estimate: of the mean over its probes and its roulette, unbiased unless the roulette is
    turned off (`config.training` and `config.evaluation` say how). In training mode probes come from torch's default
    generator. In evaluation mode they come from the generator that is given or, without one, from a fixed seed: then
    `log_prob` is a function of its batch.

    Chen et al., 2019, "Residual flows for invertible generative modeling". What differs from the paper:

    - Norms are induced by the Euclidean norm; those between other spaces, which the paper learns, are left out.
    - The training loss estimates the likelihood (see `neumann_log_det`).
    - Where `config.factor_out`, scales hand half of their channels to the latents, as those of RealNVP do.

    Arguments:
        config: the architecture, and how log-determinant and inverse are computed.
        shape: `(C, H, W)` of an image.

    Raises:
        FashionDGMError: if the shape can't be squeezed as often as `config.scales` asks.

    Example:
        >>> from fashion_dgm.config import ResidualFlowConfig
        >>> from fashion_dgm.flows import ResidualFlow
        >>> config = ResidualFlowConfig(
        ...     scales=2, blocks=2, hidden_channels=16, linear_blocks=0, linear_width=32, squeeze_first=True,
        ...     factor_out=False, logit_alpha=1e-6,
        ... )
        >>> flow = ResidualFlow(config).eval()
        >>> flow.sample(4).shape
        torch.Size([4, 1, 28, 28])
    """

    config: ResidualFlowConfig
    estimated = True

    def __init__(self, config: ResidualFlowConfig, shape: Shape = (1, 28, 28)) -> None:
        super().__init__(config, shape, Chain(Logit(config.logit_alpha), _multi_scale(config, shape)))

    @property
    def blocks(self) -> list[InvertibleResidual]:
        """The residual blocks, from first to last."""
        return [module for module in self.modules() if isinstance(module, InvertibleResidual)]

    def constrain(self) -> None:
        """Brings the estimates of the spectral norms up to date with the weights."""
        update_norms(self, self.config.spectral_tolerance, self.config.spectral_iterations)

    def probes_or_default(self, probes: torch.Generator | None) -> torch.Generator | None:
        """Returns `probes`; in evaluation mode, where None is given, a generator from a fixed seed."""
        if probes is None and not self.training:
            return torch.Generator().manual_seed(EVALUATION_SEED)
        return probes


def _multi_scale(config: ResidualFlowConfig, shape: Shape) -> MultiScale:
    scales: list[Bijection] = []
    shapes = []
    for index in range(config.scales):
        first, last = index == 0, index == config.scales - 1
        layers: list[Bijection] = []
        if first and config.squeeze_first:
            shape = _squeezed(shape, 0)
            layers.append(Squeeze())
        layers.append(ActNorm(shape[0]))
        for block in range(config.blocks):
            # What enters the very first block has been through no layer that an activation could follow.
            preactivation = not (first and block == 0)
            layers += [_residual(config, _convolutions(config, shape, preactivation)), ActNorm(shape[0])]
        if last:
            for _ in range(config.linear_blocks):
                layers += [_residual(config, _matrices(config, shape)), ActNorm(shape[0])]
        else:
            shape = _squeezed(shape, index + 1)
            layers.append(Squeeze())
        scales.append(Chain(*layers))
        shapes.append(shape)
        if config.factor_out and not last:
            shape = (shape[0] // 2, *shape[1:])
    return MultiScale(scales, shapes) if config.factor_out else MultiScale([Chain(*scales)], shapes[-1:])


def _squeezed(shape: Shape, scale: int) -> Shape:
    channels, height, width = shape
    if height % 2 or width % 2:
        raise FashionDGMError(
            f"a residual flow would have to squeeze {height}x{width} before scale {scale + 1}, which needs even height "
            "and width; lower scales, or set squeeze_first to false"
        )
    return 4 * channels, height // 2, width // 2


def _residual(config: ResidualFlowConfig, g: nn.Module) -> InvertibleResidual:
    return InvertibleResidual(
        g,
        training=SeriesLogDet.of(config.training),
        evaluation=SeriesLogDet.of(config.evaluation),
        tolerance=config.inverse_tolerance,
        max_iterations=config.inverse_iterations,
    )


def _convolutions(config: ResidualFlowConfig, shape: Shape, preactivation: bool) -> nn.Sequential:
    """The paper's three convolutions: 3x3, 1x1, 3x3."""
    channels, *size = shape
    width = config.hidden_channels

    def convolution(before: int, after: int, kernel_size: int) -> LipschitzConv2d:
        return LipschitzConv2d(before, after, kernel_size, (size[0], size[1]), config.lipschitz_coefficient)

    return _with_activations(
        [convolution(channels, width, 3), convolution(width, width, 1), convolution(width, channels, 3)], preactivation
    )


def _matrices(config: ResidualFlowConfig, shape: Shape) -> nn.Sequential:
    values, width = shape[0] * shape[1] * shape[2], config.linear_width

    def matrix(before: int, after: int) -> LipschitzLinear:
        return LipschitzLinear(before, after, config.lipschitz_coefficient)

    inner = _with_activations([matrix(values, width), matrix(width, width), matrix(width, values)], True)
    return nn.Sequential(nn.Flatten(), *inner, nn.Unflatten(1, shape))


def _with_activations(layers: list[nn.Module], preactivation: bool) -> nn.Sequential:
    activated: list[nn.Module] = [module for layer in layers for module in (LipSwish(), layer)]
    return nn.Sequential(*activated[0 if preactivation else 1 :])
