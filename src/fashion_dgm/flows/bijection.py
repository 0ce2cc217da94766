"""The contract that every layer of a flow keeps, and its compositions: chains and several scales."""

# Derived in docs/theory/change-of-variables.md and docs/theory/log-det-estimation.md.

import contextlib
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from fashion_dgm.errors import FashionDGMError

__all__ = ["Bijection", "Chain", "MultiScale", "evaluating", "zero_log_det"]


class Bijection(nn.Module, ABC):
    """An invertible, differentiable map that computes the log-determinant of its Jacobian.

    `forward` goes from data to latents, the direction of the likelihood; `inverse` goes back, the direction of
    sampling. By the change of variables `log p(x) = log p(y) + log |det dy/dx|`, so log-determinants add along a chain.
    """

    @abstractmethod
    def forward(self, x: Tensor, probes: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Maps `x` to `y`.

        Arguments:
            x: floats, `(N, ...)`.
            probes: source of the randomness of a log-determinant that is estimated, torch's default one if None; a layer
                that computes it exactly draws nothing.

        Returns:
            `y`, and `log |det dy/dx|` of each image, `(N,)`, in float32 or float64 even under bfloat16 autocast:
            bfloat16 keeps 3 digits, and a sum over 784 pixels would be off by whole nats.
        """

    @abstractmethod
    def inverse(self, y: Tensor) -> Tensor:
        """Maps `y` back to the `x` that `forward` takes to it."""


class Chain(Bijection):
    """Bijections one after the other; none at all is the identity."""

    def __init__(self, *bijections: Bijection) -> None:
        super().__init__()
        self.bijections = nn.ModuleList(bijections)

    def forward(self, x: Tensor, probes: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Applies the bijections from first to last and adds up their log-determinants."""
        log_det = zero_log_det(x)
        for bijection in self.bijections:
            x, contribution = bijection(x, probes)
            log_det = log_det + contribution
        return x, log_det

    def inverse(self, y: Tensor) -> Tensor:
        """Applies the inverses from last to first."""
        for bijection in reversed(self.bijections):
            y = cast("Bijection", bijection).inverse(y)
        return y


@contextlib.contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Puts a network into evaluation mode within a `with` statement, and leaves it in the mode it was in."""
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)


def zero_log_det(x: Tensor) -> Tensor:
    """Returns the log-determinant `(N,)` of a map that keeps volume, in float32 or better."""
    return x.new_zeros(len(x), dtype=torch.promote_types(x.dtype, torch.float32))


class MultiScale(Bijection):
    """Scales one after the other, each handing half of its channels to the latents and half to the next.

    The latents are flat: `(N, C, H, W)` to `(N, C H W)`, the halves factored out from the first scale to the last
    but one, then all that the last scale returns. What leaves early passes fewer layers, and the couplings of later
    scales work on fewer values: cost and memory fall while the whole stays a bijection.

    Dinh et al., 2017, section 3.6.

    Arguments:
        scales: one bijection of images a scale.
        shapes: the shape `(C, H, W)` that each scale returns, before half of its channels are factored out.

    Raises:
        FashionDGMError: if there is no scale, shapes are not as many, or half of an odd number of channels were to go.
    """

    def __init__(self, scales: Sequence[Bijection], shapes: Sequence[tuple[int, int, int]]) -> None:
        super().__init__()
        if not scales or len(scales) != len(shapes):
            raise FashionDGMError(
                f"a multi-scale flow needs scales and a shape for each, not {len(scales)} and {len(shapes)}"
            )
        for index, (channels, _, _) in enumerate(shapes[:-1]):
            if channels % 2:
                raise FashionDGMError(f"scale {index + 1} can't factor out half of its {channels} channels")
        self.scales = nn.ModuleList(scales)
        self.shapes = tuple(shapes)

    def forward(self, x: Tensor, probes: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Takes `(N, C, H, W)` to latents `(N, C H W)`."""
        log_det = zero_log_det(x)
        latents = []
        for index, scale in enumerate(self.scales):
            x, contribution = scale(x, probes)
            log_det = log_det + contribution
            if index < len(self.scales) - 1:
                x, factored = x.chunk(2, dim=1)
                latents.append(factored.flatten(1))
        return torch.cat((*latents, x.flatten(1)), dim=1), log_det

    def inverse(self, y: Tensor) -> Tensor:
        """Takes latents `(N, C H W)` to `(N, C, H, W)`."""
        sizes = [math.prod(shape) // 2 for shape in self.shapes[:-1]] + [math.prod(self.shapes[-1])]
        *latents, last = y.split(sizes, dim=1)
        x = self._scale(-1).inverse(last.unflatten(1, self.shapes[-1]))
        for index in reversed(range(len(latents))):
            channels, height, width = self.shapes[index]
            factored = latents[index].unflatten(1, (channels // 2, height, width))
            x = self._scale(index).inverse(torch.cat((x, factored), dim=1))
        return x

    def _scale(self, index: int) -> Bijection:
        return cast("Bijection", self.scales[index])
