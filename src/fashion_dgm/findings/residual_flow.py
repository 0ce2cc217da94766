"""What the training of a Residual Flow has shown: its estimates, inverse and bound, compared with RealNVP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import Side, is_number
from fashion_dgm.findings.flow import Comparison, TrainedFlow, compare, trained_flow

__all__ = ["ResidualFlowFindings", "residual_flow"]


@dataclass(frozen=True)
class ResidualFlowFindings:
    """A Residual Flow next to RealNVP.

    Arguments:
        metrics: of the Residual Flow.
        probes_side: where the standard error of held-out bits/dim from probes lies, compared with that from images.
        contraction: where the largest product of spectral norms in a block lies, compared with 1.
        excess: by which fraction the largest spectral norm of a layer exceeds its bound; None within the tolerance.
        same_images: how many images of each split were evaluated, where the number is the same.
    """

    metrics: Mapping[str, Any]
    reference: TrainedFlow
    flow: TrainedFlow
    comparison: Comparison
    probes_side: Side
    contraction: Side
    excess: float | None
    same_images: int | None


def residual_flow(reference: Mapping[str, Any], metrics: Mapping[str, Any]) -> ResidualFlowFindings:
    """Concludes from RealNVP's metrics, and from what `fashion_dgm.flows.residual_evaluation.evaluate` returns."""
    first, second = trained_flow("flow", reference), trained_flow("residual_flow", metrics)
    layer, bound = metrics["largest_layer_norm"], metrics["lipschitz_coefficient"]
    images = metrics["test_image_error"]
    sizes = {bits.images for bits in second.bits.values()}
    return ResidualFlowFindings(
        metrics=metrics,
        reference=first,
        flow=second,
        comparison=compare(first, second, estimated=True),
        probes_side=criteria.side(metrics["test_probe_error"], None, images) if is_number(images) else Side.UNKNOWN,
        contraction=criteria.side(metrics["largest_block_bound"] if is_number(layer) else None, None, 1.0),
        excess=criteria.excess(layer, bound),
        same_images=sizes.pop() if len(sizes) == 1 else None,
    )
