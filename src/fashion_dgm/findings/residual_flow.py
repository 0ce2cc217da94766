"""What the training of a Residual Flow has shown: its estimates, inverse and bound, compared with RealNVP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import Contraction, Uncertainty
from fashion_dgm.findings.flow import Comparison, TrainedFlow, compare, trained_flow

__all__ = ["ResidualFlowFindings", "residual_flow"]


@dataclass(frozen=True)
class ResidualFlowFindings:
    """A Residual Flow next to RealNVP; None where something was not measured.

    Arguments:
        estimator: of its log-determinants, as its code names it.
        draws: how often the likelihood was estimated.
        unbiased, training_unbiased: whether estimates were, in evaluation and in training.
        probe_error, image_error: standard errors of the bits/dim of held-out images.
        layer_norm: the largest spectral norm of a layer; `bound` is what it should not exceed.
        excess: by which fraction it does, where that is more than the tolerance.
        block_bound: the largest product of spectral norms in a block.
        same_images: how many images of each split were evaluated, where the number is the same.
    """

    reference: TrainedFlow
    flow: TrainedFlow
    comparison: Comparison
    estimator: str | None
    draws: int | None
    unbiased: bool | None
    training_unbiased: bool | None
    probe_error: float | None
    image_error: float | None
    uncertainty: Uncertainty
    inverse_iterations: float | None
    most_inverse_iterations: int | None
    layer_norm: float | None
    block_bound: float | None
    bound: float | None
    contraction: Contraction
    excess: float | None
    same_images: int | None


def residual_flow(reference: Mapping[str, Any], metrics: Mapping[str, Any]) -> ResidualFlowFindings:
    """Concludes from RealNVP's metrics, and from what `fashion_dgm.evaluation.residual_flow.evaluate` returns."""
    first, second = trained_flow("flow", reference), trained_flow("residual_flow", metrics)
    probes, images = (metrics.get(f"test_{kind}_error") for kind in ("probe", "image"))
    layer, block = metrics.get("largest_layer_norm"), metrics.get("largest_block_bound")
    bound = metrics.get("lipschitz_coefficient")
    sizes = {bits.images for bits in second.bits.values()}
    return ResidualFlowFindings(
        reference=first,
        flow=second,
        comparison=compare(first, second, estimated=True),
        estimator=metrics.get("estimator"),
        draws=metrics.get("draws"),
        unbiased=metrics.get("unbiased"),
        training_unbiased=metrics.get("training_unbiased"),
        probe_error=probes,
        image_error=images,
        uncertainty=criteria.uncertainty(probes, images),
        inverse_iterations=metrics.get("inverse_iterations"),
        most_inverse_iterations=metrics.get("inverse_iterations_most"),
        layer_norm=layer,
        block_bound=block,
        bound=bound,
        contraction=criteria.contraction(layer, block, bound),
        excess=criteria.excess(layer, bound),
        same_images=sizes.pop() if len(sizes) == 1 else None,
    )
