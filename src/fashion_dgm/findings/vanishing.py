"""What a trained discriminator or critic leaves of the generator's gradient under each loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import Change, GradientNoise, Vanishing

__all__ = ["GradientChange", "VanishingFindings", "vanishing"]

_LOSSES = ("saturating", "non_saturating", "wasserstein")


@dataclass(frozen=True)
class GradientChange:
    """The change of a frozen generator's gradient under one loss; means and deviations over seeds, in powers of ten.

    Arguments:
        epoch: of the generator; 0 is untrained.
        summary: `{"norm" | "change" | "lost" | "variance_change" | "noise_change": {"mean", "sd"}}`.
        norm: the norm after the last step, a geometric mean; not in powers of ten.
        change: of the norm, from the first step on.
        variance_change: of the variance between batches.
        noise_change: of the variance over the squared mean.
    """

    epoch: int
    loss: str
    summary: Mapping[str, Mapping[str, Any]]
    norm: float | None
    change: Change
    variance_change: Change
    noise_change: Change


@dataclass(frozen=True)
class VanishingFindings:
    """All losses and generators.

    Arguments:
        gradients: by epoch of the generator, then by loss.
        others: losses other than the saturating one whose gradient falls for some generator.
        noisier: epochs of the generators for which the variance of the non-saturating gradient grows.
        metrics: as the study returns them, for its sizes and the error of the estimated distances.
    """

    gradients: tuple[GradientChange, ...]
    verdict: Vanishing
    others: tuple[str, ...]
    noisier: tuple[int, ...]
    noise: GradientNoise
    metrics: Mapping[str, Any]


def vanishing(metrics: Mapping[str, Any]) -> VanishingFindings:
    """Concludes from the metrics of the study of vanishing gradients."""
    gradients = tuple(
        _gradient(int(epoch), loss, metrics["gradients"][epoch][loss])
        for epoch in sorted(metrics["gradients"], key=int)
        for loss in _LOSSES
        if loss in metrics["gradients"][epoch]
    )
    others = tuple(loss for loss in _LOSSES[1:] if any(g.change is Change.FALLS for g in gradients if g.loss == loss))
    noisier = [g for g in gradients if g.loss == "non_saturating" and g.variance_change is Change.GROWS]
    return VanishingFindings(
        gradients=gradients,
        verdict=_verdict([g.change for g in gradients if g.loss == "saturating"], others),
        others=others,
        noisier=tuple(g.epoch for g in noisier),
        noise=_noise([g.noise_change for g in noisier]),
        metrics=metrics,
    )


def _gradient(epoch: int, loss: str, summary: Mapping[str, Any]) -> GradientChange:
    norm = summary["norm"]["mean"]
    changes = (
        criteria.change(summary[name]["mean"], summary[name].get("sd"))
        for name in ("change", "variance_change", "noise_change")
    )
    return GradientChange(epoch, loss, summary, 10**norm if criteria.is_number(norm) else None, *changes)


def _verdict(saturating: Sequence[Change], others: Sequence[str]) -> Vanishing:
    if Change.UNKNOWN in saturating:
        return Vanishing.UNKNOWN
    if any(change is not Change.FALLS for change in saturating):
        return Vanishing.NOT_CLEAR
    return Vanishing.OTHERS_TOO if others else Vanishing.SATURATING_ONLY


def _noise(changes: Sequence[Change]) -> GradientNoise:
    if not changes:
        return GradientNoise.NO_GROWTH
    faster = [change is Change.GROWS for change in changes]
    if all(faster):
        return GradientNoise.FASTER
    return GradientNoise.PARTLY_FASTER if any(faster) else GradientNoise.NOT_FASTER
