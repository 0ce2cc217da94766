"""An invertible residual layer."""

# Derived in docs/theory/log-det-estimation.md.

from __future__ import annotations

import torch
from torch import Tensor, nn

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.bijection import Bijection
from fashion_dgm.flows.log_det_estimate import LogDetEstimate

__all__ = ["InverseError", "InvertibleResidual"]


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
        training, evaluation: how the log-determinant is found in either mode.
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
