"""What the training of the mixture flow has shown, compared with RealNVP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fashion_dgm.findings.flow import Comparison, TrainedFlow, compare, trained_flow

__all__ = ["MixtureFlowFindings", "mixture_flow"]


@dataclass(frozen=True)
class MixtureFlowFindings:
    """The mixture flow next to RealNVP."""

    reference: TrainedFlow
    flow: TrainedFlow
    comparison: Comparison


def mixture_flow(reference: Mapping[str, Any], metrics: Mapping[str, Any]) -> MixtureFlowFindings:
    """Concludes from the metrics of RealNVP and of the mixture flow."""
    first, second = trained_flow("flow", reference), trained_flow("mixture_flow", metrics)
    return MixtureFlowFindings(first, second, compare(first, second))
