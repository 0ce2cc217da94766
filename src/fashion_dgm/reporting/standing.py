"""What of a run can stand beside published figures: the same measures, with what they were measured on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from fashion_dgm.reporting.wording import is_number, model_name

__all__ = ["MIXTURE", "OurDetection", "OurLikelihood", "our_detections", "our_likelihoods", "with_benchmark"]

OFFICIAL_IMAGES = 10_000
MIXTURE = "MixtureFlow"
"""The mixture flow's name among the models of detection."""


class OurLikelihood(NamedTuple):
    """Bits per dimension of one of this run's flows, with its standard error where that is known.

    Arguments:
        kind: whether it is exact or estimated.
        images: how many, of which split.
        epochs: how long it was trained.
    """

    model: str
    parameters: int | None
    bits: float | None
    error: float | None
    kind: str
    images: int | None
    split: str
    epochs: int


class OurDetection(NamedTuple):
    """AUROC of one of this run's scores by set, each with its interval where there is one."""

    score: str
    raw_likelihood: bool
    auroc: Mapping[str, tuple[float | None, tuple[float, float] | None]]


def with_benchmark(flow: Mapping[str, Any], ood: Mapping[str, Any], model: str | None = None) -> dict[str, Any]:
    """Returns a flow's metrics with those on official test images, which detection measures: mean, N, standard error.

    Arguments:
        model: the flow's name there; None for the first. A flow that was not scored gets none of these metrics.
    """
    inside = ood["in_distribution"] if model is None else ood.get("models", {}).get(model, {}).get("in_distribution")
    if inside is None:
        return dict(flow)
    spread, images = inside.get("bits_per_dim_sd"), inside["images"]
    return {
        **flow,
        "benchmark_bits_per_dim": inside["bits_per_dim"],
        "benchmark_images": images,
        "benchmark_error": spread / math.sqrt(images) if is_number(spread) else None,
    }


def our_likelihoods(
    flow: Mapping[str, Any], residual: Mapping[str, Any] | None = None, mixture: Mapping[str, Any] | None = None
) -> tuple[OurLikelihood, ...]:
    """Returns the flows of a run, each on official test images if it was measured there, else on held-out ones."""
    ours = [_of_couplings("RealNVP", flow)]
    if mixture is not None:
        ours.append(_of_couplings("mixture flow", mixture))
    if residual is not None:
        errors = [residual.get(f"benchmark_{of}_error") for of in ("probe", "image")]
        known = [error for error in errors if is_number(error)]
        ours.append(
            OurLikelihood(
                "Residual Flow",
                residual.get("parameters"),
                residual.get("benchmark_bits_per_dim"),
                math.hypot(*known) if len(known) == len(errors) else None,
                "estimated without bias" if residual.get("unbiased") else "estimated with a bias",
                residual.get("benchmark_images"),
                "benchmark",
                residual["epochs"],
            )
        )
    return tuple(ours)


def our_detections(ood: Mapping[str, Any]) -> tuple[OurDetection, ...]:
    """Returns raw likelihood and, where a run has more scores, the primary one, of RealNVP and of the mixture flow."""
    first = ood.get("model", "RealNVP")
    ours = [OurDetection(f"raw likelihood, {model_name(first)}", True, _aurocs(ood["sets"]))]
    for model, found in ood.get("models", {}).items():
        if model not in (first, MIXTURE):
            continue
        results, name = found["results"], ood["headline"]
        if model != first and "likelihood" in results:
            ours.append(OurDetection(f"raw likelihood, {model_name(model)}", True, _aurocs(results["likelihood"])))
        if name != "likelihood" and name in results:
            label = f"{ood['definitions'][name]['label']}, {model_name(model)}"
            ours.append(OurDetection(label, False, _aurocs(results[name])))
    return tuple(ours)


def _of_couplings(model: str, metrics: Mapping[str, Any]) -> OurLikelihood:
    split = "benchmark" if "benchmark_bits_per_dim" in metrics else "test"
    return OurLikelihood(
        model,
        metrics.get("parameters"),
        metrics.get(f"{split}_bits_per_dim"),
        metrics.get(f"{split}_error"),
        "exact",
        metrics.get(f"{split}_images"),
        split,
        metrics["epochs"],
    )


def _aurocs(found: Mapping[str, Any]) -> dict[str, tuple[float | None, tuple[float, float] | None]]:
    return {
        name: (entry.get("auroc"), tuple(entry["auroc_interval"]) if entry.get("auroc_interval") else None)
        for name, entry in found.items()
    }
