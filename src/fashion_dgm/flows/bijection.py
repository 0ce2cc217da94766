"""The contract that every layer of a flow keeps, and its composition."""

# Derived in docs/theory/change-of-variables.md and docs/theory/log-det-estimation.md.

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import cast

import torch
from torch import Tensor, nn

__all__ = ["Bijection", "Chain", "zero_log_det"]


class Bijection(nn.Module, ABC):
    """An invertible, differentiable map that knows the log-determinant of its Jacobian.

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


def zero_log_det(x: Tensor) -> Tensor:
    """Returns the log-determinant `(N,)` of a map that keeps volume, in float32 or better."""
    return x.new_zeros(len(x), dtype=torch.promote_types(x.dtype, torch.float32))
