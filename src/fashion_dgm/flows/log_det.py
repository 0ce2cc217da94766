"""The log-determinant of a residual layer: exact, from its whole Jacobian, or estimated by a series with probes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from fashion_dgm.config import SeriesConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.log_det_series import ProbeKind, draw_probes, log_det_series, neumann_log_det
from fashion_dgm.flows.series_weights import Geometric, Poisson, Roulette, SeriesWeights, Truncation

__all__ = ["ExactLogDet", "LogDetEstimate", "SeriesLogDet", "batch_jacobian", "exact_log_det"]


def batch_jacobian(
    g: Callable[[Tensor], Tensor], x: Tensor, create_graph: bool = False, rows_at_once: int = 64
) -> tuple[Tensor, Tensor]:
    """Computes the Jacobian of `g` at each image, as many rows at once as said, by vector-Jacobian products.

    Arguments:
        g: a map that keeps the shape of a batch and treats each image on its own.
        x: images `(N, ...)` of D numbers each; `N D^2` numbers must fit into memory.
        create_graph: whether the Jacobian can be differentiated.
        rows_at_once: copies of an image that go through `g` at the same time.

    Returns:
        `g(x)` as `(N, ...)`, and `(N, D, D)` with entry `i, j` the derivative of output i by input j; detached unless
        `create_graph`.
    """
    size = x[0].numel()
    jacobians, outputs = [], []
    with torch.enable_grad():
        start = x if x.requires_grad else x.detach().requires_grad_()
        for image in start.split(1):
            rows = []
            for basis in torch.eye(size, dtype=x.dtype, device=x.device).split(rows_at_once):
                copies = image.expand(len(basis), *x.shape[1:])
                y = g(copies)
                (row,) = torch.autograd.grad(y, copies, basis.view(copies.shape).to(y.dtype), create_graph=create_graph)
                rows.append(row.flatten(1))
            outputs.append(y[:1])
            jacobians.append(torch.cat(rows))
    y = torch.cat(outputs)
    return y if create_graph else y.detach(), torch.stack(jacobians)


def exact_log_det(
    g: Callable[[Tensor], Tensor], x: Tensor, create_graph: bool = False, rows_at_once: int = 64
) -> tuple[Tensor, Tensor]:
    """Computes `log det(I + J_g(x))` by factorising the matrix, in float64: D vector-Jacobian products and `O(D^3)`.

    Arguments:
        g: as for `batch_jacobian`.
        x: as for `batch_jacobian`.
        create_graph: as for `batch_jacobian`.
        rows_at_once: as for `batch_jacobian`.

    Returns:
        `g(x)` as `(N, ...)`, and the log-determinants `(N,)` in float64.

    Raises:
        FashionDGMError: if a determinant is not positive, which `Lip(g) < 1` rules out.
    """
    y, jacobian = batch_jacobian(g, x, create_graph, rows_at_once)
    matrix = torch.eye(jacobian.shape[-1], dtype=torch.float64, device=x.device) + jacobian.double()
    sign, log_det = torch.linalg.slogdet(matrix)
    if bool((sign <= 0).any()):
        raise FashionDGMError(
            f"det(I + J) is not positive for {int((sign <= 0).sum())} of {len(x)} images, so g is no contraction there: "
            "bound the spectral norm of its layers below 1"
        )
    return y, log_det


class LogDetEstimate(Protocol):
    """Evaluates a residual branch together with `log det(I + J_g)`."""

    def __call__(self, g: nn.Module, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Returns `g(x)` and an estimate of the log-determinant `(N,)`, both differentiable where gradients are on."""
        ...


@dataclass(frozen=True)
class SeriesLogDet:
    """The power series of the logarithm, with Hutchinson's probes for its traces.

    Arguments:
        weights: where the series stops, and what its terms then weigh; drawn once for a batch.
        probes: for each image.
        kind: their distribution.
        gradient: "neumann" keeps little for the backward pass, "series" differentiates the series itself, which needs
            memory in proportion to its terms, and can be differentiated again.
    """

    weights: SeriesWeights
    probes: int = 1
    kind: ProbeKind = "rademacher"
    gradient: Literal["neumann", "series"] = "neumann"

    @classmethod
    def of(cls, config: SeriesConfig) -> SeriesLogDet:
        """Returns the estimate that `config` asks for."""
        weights: SeriesWeights
        if config.roulette == "none":
            weights = Truncation(config.exact_terms)
        elif config.roulette == "geometric":
            weights = Roulette(config.exact_terms, Geometric(1 / config.mean_terms))
        else:
            weights = Roulette(config.exact_terms, Poisson(config.mean_terms))
        return cls(weights, config.probes, config.probe_kind, config.gradient)

    def __call__(self, g: nn.Module, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Draws weights and probes from `generator`, or torch's default one, and evaluates the series."""
        weights = self.weights.draw(generator)
        probes = draw_probes(x, self.probes, self.kind, generator)
        if torch.is_grad_enabled() and self.gradient == "neumann":
            return neumann_log_det(g, x, probes, weights)
        return log_det_series(g, x, probes, weights, create_graph=torch.is_grad_enabled())


@dataclass(frozen=True)
class ExactLogDet:
    """The whole Jacobian: for a few dozen values an image, to compare estimates with."""

    def __call__(self, g: nn.Module, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Draws nothing."""
        y, log_det = exact_log_det(g, x, create_graph=torch.is_grad_enabled())
        return y, log_det.to(torch.promote_types(x.dtype, torch.float32))
