"""What the trainings of normalising flows have shown: fit, inverse, and how each compares with RealNVP."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import Exactness, Inverse, Overfitting, Side, is_number
from fashion_dgm.findings.row import Row
from fashion_dgm.provenance import is_of_reference_models

__all__ = [
    "Bits",
    "Comparison",
    "TrainedFlow",
    "flow",
    "flows_of",
    "other_flow",
    "residual_flow",
    "trained_flow",
    "with_benchmark",
]

FLOWS = {"flow": "RealNVP", "mixture_flow": "MixtureFlow", "residual_flow": "ResidualFlow"}
"""By name, the architectures of the flows that the project comes with."""

SPLITS = ("train", "test", "benchmark")


@dataclass(frozen=True)
class Bits:
    """Mean bits/dim, its standard error, and the number of images; None where it is not known."""

    value: float | None
    error: float | None = None
    images: int | None = None


@dataclass(frozen=True)
class TrainedFlow:
    """A flow after its training; None where something was not measured.

    Arguments:
        name: `flow`, which is RealNVP, `mixture_flow`, `residual_flow` or that of another model.
        architecture: the name of its class.
        bits: by split, those that were measured.
        reconstruction_error: the largest of a pixel on the scale from 0 to 1.
    """

    name: str
    architecture: str
    epochs: int
    parameters: int | None
    images_seen: int | None
    bits: Mapping[str, Bits]
    exactness: Exactness
    reconstruction_error: float | None
    overfitting: Overfitting
    inverse: Inverse

    @property
    def split(self) -> str:
        """The images to compare flows on: `benchmark`, official test images, where it was measured there, else `test`."""
        return "benchmark" if "benchmark" in self.bits else "test"

    @property
    def gap(self) -> float:
        """Bits/dim of held-out images above those of training images; negative if below."""
        train, held_out = (self.bits[split].value for split in ("train", "test"))
        return math.nan if train is None or held_out is None else held_out - train


@dataclass(frozen=True)
class Comparison:
    """Bits/dim of a flow compared with RealNVP's.

    Arguments:
        split: on which images, `test` or `benchmark`.
        side: where those of `other` lie; below is better.
    """

    split: str
    reference: TrainedFlow
    other: TrainedFlow
    difference: float | None
    side: Side


@dataclass(frozen=True)
class FlowFindings:
    """RealNVP, and what several draws of noise for each image make of the likelihood of each flow.

    Arguments:
        discrete: by flow, upper bounds on the bits/dim of 8-bit pixels: the `bounds` by the number of draws, rising; the
            `gain`, by which the bound falls from the fewest draws to the most; and whether it has `converged`.
        draws: all numbers of draws, rising.
    """

    flow: TrainedFlow
    discrete: Mapping[str, Row]
    draws: tuple[int, ...]


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

    metrics: Row
    comparison: Comparison
    probes_side: Side
    contraction: Side
    excess: float | None
    same_images: int | None


def flow(metrics: Row, discrete: Mapping[str, Row] | None = None) -> FlowFindings:
    """Concludes from RealNVP's metrics, and from the bounds of each flow that has any.

    Arguments:
        metrics: as `trained_flow` takes them.
        discrete: by flow, the bounds as `fashion_dgm.flows.likelihood.DiscreteLikelihood.summary` returns it.
    """
    bounds = {name: _discrete(discrete[name]) for name in _in_order(discrete)} if discrete else {}
    draws = sorted({k for bound in bounds.values() for k in bound["bounds"]})
    return FlowFindings(trained_flow("flow", metrics), bounds, tuple(draws))


def other_flow(name: str, reference: Row, metrics: Row) -> Comparison:
    """Concludes from the metrics of RealNVP and of another flow of exact likelihood."""
    return _compare(trained_flow("flow", reference), trained_flow(name, metrics))


def residual_flow(reference: Row, metrics: Row) -> ResidualFlowFindings:
    """Concludes from RealNVP's metrics, and from what `fashion_dgm.evaluation.residual_flow.evaluate` returns."""
    flow = trained_flow("residual_flow", metrics)
    layer, bound = metrics["largest_layer_norm"], metrics["lipschitz_coefficient"]
    images = metrics["test_image_error"]
    sizes = {bits.images for bits in flow.bits.values()}
    return ResidualFlowFindings(
        metrics=metrics,
        comparison=_compare(trained_flow("flow", reference), flow, estimated=True),
        probes_side=criteria.side(metrics["test_probe_error"], None, images) if is_number(images) else Side.UNKNOWN,
        contraction=criteria.side(metrics["largest_block_bound"] if is_number(layer) else None, None, 1.0),
        excess=criteria.excess(layer, bound),
        same_images=sizes.pop() if len(sizes) == 1 else None,
    )


def trained_flow(name: str, metrics: Row) -> TrainedFlow:
    """Concludes from a flow's metrics, as its training node returns them.

    Of an estimated likelihood, the standard error is that of probes and images together.
    """
    train, held_out = (metrics.get(f"{split}_bits_per_dim") for split in ("train", "test"))
    measured = [split for split in SPLITS if split != "benchmark" or "benchmark_bits_per_dim" in metrics]
    error = metrics.get("reconstruction_error")
    estimated = Exactness.UNBIASED if metrics.get("unbiased") else Exactness.BIASED
    return TrainedFlow(
        name=name,
        architecture=_architecture(name, metrics),
        epochs=metrics.get("epochs") or 0,
        parameters=metrics.get("parameters"),
        images_seen=metrics.get("images_seen"),
        bits={
            split: Bits(metrics.get(f"{split}_bits_per_dim"), _error(metrics, split), metrics.get(f"{split}_images"))
            for split in measured
        },
        exactness=estimated if name == "residual_flow" else Exactness.EXACT,
        reconstruction_error=error,
        overfitting=criteria.flow_overfitting(train, held_out),
        inverse=criteria.inverse(error),
    )


def _compare(reference: TrainedFlow, other: TrainedFlow, estimated: bool = False) -> Comparison:
    """Compares two flows on official test images where the reference was measured there, else on held-out images.

    The side is unknown without both on the same images, and, of an estimate, without its error. Where the error of the
    reference is not known, it is taken to be as large as the other's.

    Arguments:
        estimated: whether the bits/dim of `other` are estimates.
    """
    split = reference.split
    first, second = reference.bits[split], other.bits.get(split, Bits(None))
    missing = estimated and second.error is None
    if not is_number(first.value) or not is_number(second.value) or missing:
        return Comparison(split, reference, other, None, Side.UNKNOWN)
    difference = second.value - first.value
    verdict = criteria.bits_side(difference, first.error or second.error, second.error)
    return Comparison(split, reference, other, difference, verdict)


def _error(metrics: Row, split: str) -> float | None:
    probes, images = (metrics.get(f"{split}_{kind}_error") for kind in ("probe", "image"))
    if is_number(probes) and is_number(images):
        return math.hypot(probes, images)
    error = metrics.get(f"{split}_error")
    return error if is_number(error) else None


def _discrete(found: Row) -> Row:
    def bits(quantity: str, draws: str) -> Bits:
        return Bits(found[quantity][draws], found.get(f"{quantity}_error", {}).get(draws), found["images"])

    bounds = {int(draws): bits("bits_per_dim", draws) for draws in sorted(found["bits_per_dim"], key=int)}
    effective = found["effective_draws"]
    own = {"images": found["images"], "effective_draws": effective, "converged": criteria.converged(effective)}
    return {**own, "bounds": bounds, "gain": bits("gain", str(max(bounds)))}


def flows_of(metrics: Mapping[str, Row]) -> list[str]:
    """Returns the names of the flows among all results of a run: those of `FLOWS`, then the others; none of MNIST."""
    trained = (name for name, found in metrics.items() if "train_bits_per_dim" in found)
    return _in_order(name for name in {*trained, *FLOWS} if name in metrics and not name.startswith("mnist_"))


def _in_order(names: Iterable[str]) -> list[str]:
    order = list(FLOWS)
    return sorted(names, key=lambda name: (order.index(name) if name in FLOWS else len(order), name))


def _architecture(name: str, metrics: Row) -> str:
    return str(metrics.get("architecture", FLOWS.get(name, name)))


def with_benchmark(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Returns all metrics of a run, those of flows with bits/dim on official test images.

    Detection measures these: `benchmark_bits_per_dim`, `benchmark_images` and `benchmark_error`, the standard error. A flow
    that was not scored gets none, one with a measurement of its own keeps it, and those of models that come with the
    package are of no flow of the run.
    """
    ood = metrics.get("ood", {})
    if is_of_reference_models(ood):
        return {**metrics}
    measured, models = (
        {"flow": ood},
        {name: found for name, found in ood.get("models", {}).items() if name != "RealNVP"},
    )
    for name in (name for name in flows_of(metrics) if name != "flow"):
        # Of two flows of one architecture, detection has the second by its name.
        measured[name] = models[name] if name in models else models.pop(_architecture(name, metrics[name]), {})
    added = {
        name: {**_on_benchmark(found["in_distribution"]), **metrics[name]}
        for name, found in measured.items()
        if name in metrics and "in_distribution" in found
    }
    return {**metrics, **added}


def _on_benchmark(inside: Row) -> Row:
    spread, images = inside.get("bits_per_dim_sd"), inside["images"]
    return {
        "benchmark_bits_per_dim": inside["bits_per_dim"],
        "benchmark_images": images,
        "benchmark_error": spread / math.sqrt(images) if is_number(spread) else None,
    }
