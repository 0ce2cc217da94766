"""What of a run compares with published results: bits/dim and AUROC, with what they were measured on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from fashion_dgm.findings.criteria import is_number

__all__ = ["OurDetection", "OurLikelihood", "our_detections", "our_likelihoods", "with_benchmark"]

MIXTURE = "MixtureFlow"
_FLOWS = {"flow": None, "mixture_flow": MIXTURE}


class OurLikelihood(NamedTuple):
    """Bits per dimension of one of this run's flows, with its standard error where that is known.

    Arguments:
        model: `RealNVP`, `mixture flow` or `Residual Flow`.
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
    """AUROC of one of this run's scores by set, each with its interval where there is one.

    Arguments:
        score: its name, such as `likelihood`.
        label: what it is called.
        model: the architecture of the flow.
    """

    score: str
    label: str
    model: str
    auroc: Mapping[str, tuple[float | None, tuple[float, float] | None]]

    @property
    def raw_likelihood(self) -> bool:
        """Whether it is the likelihood alone."""
        return self.score == "likelihood"


def with_benchmark(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Returns all metrics of a run, those of RealNVP and the mixture flow with bits/dim on official test images.

    Detection measures these: `benchmark_bits_per_dim`, `benchmark_images` and `benchmark_error`, the standard error. A flow
    that was not scored gets none.
    """
    ood = metrics.get("ood", {})
    added = {}
    for name, model in _FLOWS.items():
        found = ood if model is None else ood.get("models", {}).get(model, {})
        if name in metrics and "in_distribution" in found:
            added[name] = {**metrics[name], **_on_benchmark(found["in_distribution"])}
    return {**metrics, **added}


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
    """Returns likelihood, primary score and DoSE under RealNVP and under the mixture flow, RealNVP first."""
    first, models = ood.get("model", "RealNVP"), ood.get("models", {})
    results = {model: models[model]["results"] for model in (first, MIXTURE) if model in models}
    results.setdefault(first, {})
    results[first] = {**results[first], "likelihood": ood["sets"]}
    scores = dict.fromkeys(["likelihood", ood.get("headline", "likelihood"), "dose"])
    labels = {name: definition["label"] for name, definition in ood.get("definitions", {}).items()}
    return tuple(
        OurDetection(score, "raw likelihood" if score == "likelihood" else labels[score], model, _aurocs(found[score]))
        for score in scores
        for model, found in results.items()
        if score in found
    )


def _on_benchmark(inside: Mapping[str, Any]) -> dict[str, Any]:
    spread, images = inside.get("bits_per_dim_sd"), inside["images"]
    return {
        "benchmark_bits_per_dim": inside["bits_per_dim"],
        "benchmark_images": images,
        "benchmark_error": spread / math.sqrt(images) if is_number(spread) else None,
    }


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
