"""What a trained discriminator or critic leaves of the generator's gradient under each loss."""

from collections.abc import Sequence
from dataclasses import dataclass

from fashion_dgm.findings import criteria
from fashion_dgm.findings.criteria import Change, GradientNoise, Vanishing
from fashion_dgm.findings.row import Row

__all__ = ["VanishingFindings", "vanishing"]

_LOSSES = ("saturating", "non_saturating", "wasserstein")


@dataclass(frozen=True)
class VanishingFindings:
    """All losses and generators.

    Arguments:
        gradients: by epoch of the generator, 0 untrained, then by loss: the `summary` of means and deviations over
            seeds, in powers of ten; the `norm` after the last step, a geometric mean; and how the norm (`change`), the
            variance between batches (`variance_change`) and the variance over the squared mean (`noise_change`) change
            from the first step on.
        others: losses other than the saturating one whose gradient falls for some generator.
        noisier: epochs of the generators for which the variance of the non-saturating gradient grows.
        metrics: as the study returns them, for its sizes and the error of the estimated distances.
    """

    gradients: tuple[Row, ...]
    verdict: Vanishing
    others: tuple[str, ...]
    noisier: tuple[int, ...]
    noise: GradientNoise
    metrics: Row


def vanishing(metrics: Row) -> VanishingFindings:
    """Concludes from the metrics of the study of vanishing gradients."""
    found = {int(epoch): losses for epoch, losses in metrics["gradients"].items()}
    gradients = tuple(
        _gradient(epoch, loss, found[epoch][loss])
        for epoch in sorted(found)
        for loss in _LOSSES
        if loss in found[epoch]
    )
    falling = {one["loss"] for one in gradients if one["change"] is Change.FALLS}
    others = tuple(loss for loss in _LOSSES[1:] if loss in falling)
    noisier = [g for g in gradients if g["loss"] == "non_saturating" and g["variance_change"] is Change.GROWS]
    return VanishingFindings(
        gradients=gradients,
        verdict=_verdict([g["change"] for g in gradients if g["loss"] == "saturating"], others),
        others=others,
        noisier=tuple(g["epoch"] for g in noisier),
        noise=_noise([g["noise_change"] for g in noisier]),
        metrics=metrics,
    )


def _gradient(epoch: int, loss: str, summary: Row) -> Row:
    norm = summary["norm"]["mean"]
    verdicts = {
        name: criteria.change(summary[name]["mean"], summary[name].get("sd"))
        for name in ("change", "variance_change", "noise_change")
    }
    norm = 10**norm if criteria.is_number(norm) else None
    return {"epoch": epoch, "loss": loss, "summary": summary, "norm": norm, **verdicts}


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
