"""How a residual layer finds its log-determinant: by a series with probes, or exactly where it is small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from fashion_dgm.config import SeriesConfig
from fashion_dgm.flows.exact_log_det import exact_log_det
from fashion_dgm.flows.log_det_series import ProbeKind, draw_probes, log_det_series
from fashion_dgm.flows.neumann import neumann_log_det
from fashion_dgm.flows.series_weights import Geometric, Poisson, Roulette, SeriesWeights, Truncation

__all__ = ["ExactLogDet", "LogDetEstimate", "SeriesLogDet"]


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
    """The whole Jacobian: for a few dozen values an image, to judge estimates by."""

    def __call__(self, g: nn.Module, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Draws nothing."""
        y, log_det = exact_log_det(g, x, create_graph=torch.is_grad_enabled())
        return y, log_det.to(torch.promote_types(x.dtype, torch.float32))
