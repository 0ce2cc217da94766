"""What is measured of one run, and of the runs of a model together; docs/stability.md gives the formulas."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

import numpy as np

from fashion_dgm.metrics.modes import class_entropy, missing_classes
from fashion_dgm.stability.series import (
    coefficient_of_variation,
    last,
    mean_over_time,
    oscillation,
    relative_oscillation,
)

__all__ = [
    "COMPARED",
    "STEADINESS",
    "Collapse",
    "RunRecord",
    "Score",
    "measures_of",
    "progress",
    "sensitivities",
    "summarised",
]

COMPARED = {
    "log_distance": "distance at the end",
    "log_mean_distance": "mean distance over training",
    "distance_oscillation": "oscillation of the distance",
    "loss_oscillation": "oscillation of the loss",
    "gradient_variation": "variation of the gradient",
    "sensitivity": "sensitivity to the variations",
    "failed": "share of runs failed",
}
"""The measures on which models are compared; less is better for each."""

STEADINESS = tuple(name for name in COMPARED if name not in ("log_distance", "log_mean_distance"))
"""Those that say how steadily a model trains; the others say how good it becomes."""


@dataclass(frozen=True)
class Score:
    """What the classifier makes of the images of one epoch's generator.

    Arguments:
        distance: Fréchet classifier distance to held-out images.
        class_shares: of the images, by the class they are taken for; sums to 1.
    """

    epoch: int
    distance: float
    class_shares: tuple[float, ...]


@dataclass(frozen=True)
class RunRecord:
    """All that is kept of one run.

    Arguments:
        reason: why it diverged, or empty.
        epochs: how many were asked for.
        history: a row for each epoch completed.
        scores: one for each snapshot that was kept.
    """

    model: str
    variation: str
    seed: int
    status: Literal["finished", "diverged"]
    reason: str
    epochs: int
    history: list[dict[str, float]] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Returns what `from_json` takes back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Takes back what `to_json` gave."""
        scores = [Score(entry["epoch"], entry["distance"], tuple(entry["class_shares"])) for entry in data["scores"]]
        return cls(**{**data, "scores": scores})


@dataclass(frozen=True)
class Collapse:
    """When a generator counts as collapsed.

    Arguments:
        least_share: a class below this share of the images is missing.
        missing: this many missing classes are a collapse.
    """

    least_share: float
    missing: int


def measures_of(record: RunRecord, collapse: Collapse) -> dict[str, float]:
    """Returns the measures of one run; NaN where it broke off too early to have one.

    A run that diverged is judged by what it did before, and counts as failed.
    """
    distances = [score.distance for score in record.scores]
    ended = record.scores[-1].class_shares if record.scores else None
    diverged = record.status == "diverged"
    missing = missing_classes(ended, collapse.least_share) if ended else math.nan
    collapsed = ended is not None and missing >= collapse.missing

    def column(name: str) -> list[float]:
        return [row.get(name, math.nan) for row in record.history]

    estimates = column("wasserstein_estimate")
    return {
        "epochs": float(len(record.history)),
        "distance": last(distances),
        "log_distance": _log(last(distances)),
        "progress": progress(distances),
        "log_mean_distance": _log(mean_over_time([score.epoch for score in record.scores], distances)),
        "distance_oscillation": oscillation([_log(distance) for distance in distances]),
        # The critic's estimate is its loss with the sign turned, free of any penalty.
        "loss_oscillation": relative_oscillation(
            estimates if np.isfinite(estimates).any() else column("loss_discriminator")
        ),
        "gradient_variation": coefficient_of_variation(column("gradient_norm_generator")),
        "missing_classes": float(missing),
        "class_entropy": class_entropy(ended) if ended else math.nan,
        "diverged": float(diverged),
        "collapsed": float(collapsed),
        "failed": float(diverged or collapsed),
    }


def progress(distances: Sequence[float]) -> float:
    """Returns what share of the first distance is gone at the end: 0.5 if it has halved; NaN where there is none."""
    return 1.0 - last(distances) / distances[0] if distances and distances[0] > 0 else math.nan


def sensitivities(log_distances: Mapping[tuple[str, int], float], baseline: str) -> dict[tuple[str, int], float]:
    """Returns for each run but those of `baseline` how far its distance is from that of the same seed there.

    Arguments:
        log_distances: one model's, by (variation, seed).

    Returns:
        `|log d_variation - log d_baseline|`, so 0.7 is a factor of 2 either way; NaN where one of them has no distance.
    """
    return {
        (variation, seed): abs(value - log_distances.get((baseline, seed), math.nan))
        for (variation, seed), value in log_distances.items()
        if variation != baseline
    }


def _log(value: float) -> float:
    return math.log(value) if value > 0 and math.isfinite(value) else math.nan


def summarised(values: Sequence[float]) -> dict[str, float | int | None]:
    """Returns mean and standard deviation over seeds of the finite values, and how many there are."""
    finite = [value for value in values if math.isfinite(value)]
    return {
        "mean": float(np.mean(finite)) if finite else None,
        "sd": float(np.std(finite, ddof=1)) if len(finite) > 1 else None,
        "runs": len(finite),
    }
