"""Residual Flow, and the invertible residual layer that it is made of."""

# Derived in docs/theory/log-det-estimation.md.

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from fashion_dgm.config import ResidualFlowConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.actnorm import ActNorm
from fashion_dgm.flows.bijection import Bijection, Chain, MultiScale
from fashion_dgm.flows.flow import Flow, Shape
from fashion_dgm.flows.lipschitz import LipschitzConv2d, LipschitzLinear, LipSwish, update_norms
from fashion_dgm.flows.log_det import LogDetEstimate, SeriesLogDet
from fashion_dgm.flows.partition import Squeeze
from fashion_dgm.flows.preprocessing import Logit

__all__ = ["InverseError", "InvertibleResidual", "ResidualFlow"]


class InverseError(FashionDGMError):
    """A fixed-point iteration did not converge."""


class InvertibleResidual(Bijection):
    """`y = x + g(x)` with a contraction `g`: invertible, whatever network computes `g`.

    The inverse is the fixed point of `x -> y - g(x)`, found by iteration: what is left of the error shrinks by the
    Lipschitz constant at each step. The log-determinant is estimated (docs/theory/log-det-estimation.md).

    Under bfloat16 autocast the layer is computed in float32: rounded to 3 digits, `g` need not be a contraction.

    Behrmann et al., 2019, "Invertible residual networks"; Chen et al., 2019, "Residual flows for invertible generative
    modeling".

    Arguments:
        g: keeps the shape of a batch, treats each image on its own, and has a Lipschitz constant below 1.
        training: how the log-determinant is found in training mode.
        evaluation: the same in evaluation mode.
        tolerance: the inverse stops where a step changes no value by more than this times one plus its size.
        max_iterations: after which the inverse gives up.
    """

    def __init__(
        self,
        g: nn.Module,
        training: LogDetEstimate,
        evaluation: LogDetEstimate,
        tolerance: float = 1e-5,
        max_iterations: int = 1000,
    ) -> None:
        super().__init__()
        self.g = g
        self.training_estimate, self.evaluation_estimate = training, evaluation
        self.tolerance, self.max_iterations = tolerance, max_iterations
        # How many steps the last inverse took.
        self.iterations = 0

    def forward(self, x: Tensor, probes: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Takes `(N, ...)` to the same shape; the log-determinant is an estimate by draws from `probes`."""
        estimate = self.training_estimate if self.training else self.evaluation_estimate
        with torch.autocast(x.device.type, enabled=False):
            change, log_det = estimate(self.g, x, probes)
        return x + change, log_det

    @torch.no_grad()
    def inverse(self, y: Tensor) -> Tensor:
        """Takes `(N, ...)` to the same shape; no gradient goes through it.

        Raises:
            InverseError: if the iteration does not converge, or meets a NaN.
        """
        # No finer than rounding lets an iteration come to rest.
        tolerance = max(self.tolerance, 8 * torch.finfo(y.dtype).eps)
        x = y
        with torch.autocast(y.device.type, enabled=False):
            for step in range(1, self.max_iterations + 1):
                self.iterations = step
                before, x = x, y - self.g(x)
                moved = ((x - before).abs() / (1 + x.abs())).amax()
                if moved <= tolerance:
                    return x
                if not moved.isfinite():
                    break
        raise InverseError(
            f"the inverse of a residual layer did not converge: step {self.iterations} still changed a value by "
            f"{float(moved):.3g} of one plus its size, where {tolerance:.3g} is the tolerance. Either the Lipschitz "
            "constant of its network is not below 1, because weights changed and norms were not updated, or the "
            "iterations are too few; raise inverse_iterations or lower the Lipschitz coefficient"
        )

    def extra_repr(self) -> str:
        """Shows the estimates, which are no modules."""
        return f"training={self.training_estimate}, evaluation={self.evaluation_estimate}"


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

    config_type = ResidualFlowConfig
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
    channels, height, width = shape

    def convolution(before: int, after: int, kernel_size: int) -> LipschitzConv2d:
        return LipschitzConv2d(before, after, kernel_size, (height, width), config.lipschitz_coefficient)

    layers = _three_layers(convolution, channels, config.hidden_channels)
    return nn.Sequential(*layers[0 if preactivation else 1 :])


def _matrices(config: ResidualFlowConfig, shape: Shape) -> nn.Sequential:
    def matrix(before: int, after: int, _: int) -> LipschitzLinear:
        return LipschitzLinear(before, after, config.lipschitz_coefficient)

    layers = _three_layers(matrix, math.prod(shape), config.linear_width)
    return nn.Sequential(nn.Flatten(), *layers, nn.Unflatten(1, shape))


def _three_layers(layer: Callable[[int, int, int], nn.Module], values: int, width: int) -> list[nn.Module]:
    """Returns layers with kernels of 3, 1 and 3, each after an activation."""
    layers = layer(values, width, 3), layer(width, width, 1), layer(width, values, 3)
    return [module for each in layers for module in (LipSwish(), each)]
