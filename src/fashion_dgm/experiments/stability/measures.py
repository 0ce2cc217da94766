"""What is measured of one run, and of the runs of a model together; docs/stability.md gives the formulas."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

import numpy as np

from fashion_dgm.experiments.stability.series import (
    coefficient_of_variation,
    last,
    oscillation,
    relative_oscillation,
)
from fashion_dgm.metrics.modes import class_entropy, missing_classes

__all__ = [
    "COMPARED",
    "PRIMARY",
    "RATIOS",
    "Collapse",
    "RunRecord",
    "Score",
    "degradations",
    "measures_of",
    "progress",
    "summarised",
]

PRIMARY = "degradation"
"""The one measure by which stability is decided."""

COMPARED = {
    PRIMARY: "degradation under the variations",
    "log_distance": "distance under the variations",
    "assigned_log_distance": "distance as assigned",
    "failed": "fraction of runs failed",
    "distance_oscillation": "oscillation of the distance",
    "loss_oscillation": "oscillation of the loss",
    "gradient_variation": "variation of the generator's gradient",
}
"""The measures on which models are compared, by their names in English; less is better for each."""

RATIOS = (PRIMARY, "log_distance", "assigned_log_distance")
"""Those that are logarithms, so that a difference is a ratio of distances."""


@dataclass(frozen=True)
class Score:
    """What the classifier makes of the images of one epoch's generator.

    Arguments:
        distance: Fréchet classifier distance to held-out images.
        class_fractions: of the images, by the class they are taken for; sums to 1.
    """

    epoch: int
    distance: float
    class_fractions: tuple[float, ...]


@dataclass(frozen=True)
class RunRecord:
    """All that is kept of one run.

    Arguments:
        reason: why it diverged, or empty.
        epochs: how many were asked for.
        settings: learning rate, steps of the discriminator for one of the generator, and normalisations.
        history: a row for each epoch completed.
        scores: one for each snapshot that was kept.
    """

    model: str
    variation: str
    seed: int
    status: Literal["finished", "diverged"]
    reason: str
    epochs: int
    settings: dict[str, Any]
    history: list[dict[str, float]] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Returns what `from_json` takes back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Takes back what `to_json` gave."""
        scores = [Score(entry["epoch"], entry["distance"], tuple(entry["class_fractions"])) for entry in data["scores"]]
        return cls(**{**data, "scores": scores})


@dataclass(frozen=True)
class Collapse:
    """When a generator counts as collapsed.

    Arguments:
        least_fraction: a class below this fraction of the images is missing.
        missing: this many missing classes are a collapse.
    """

    least_fraction: float
    missing: int


def measures_of(record: RunRecord, collapse: Collapse, untrained: float) -> dict[str, float]:
    """Returns the measures of one run; NaN where it broke off too early to have one.

    Arguments:
        untrained: the distance of a generator that has learned nothing, which is taken for that of a run that diverged.
    """
    distances = [score.distance for score in record.scores]
    ended = record.scores[-1].class_fractions if record.scores else None
    diverged = record.status == "diverged"
    missing = missing_classes(ended, collapse.least_fraction) if ended else math.nan
    collapsed = ended is not None and missing >= collapse.missing
    distance = untrained if diverged else last(distances)

    def column(name: str) -> list[float]:
        return [row.get(name, math.nan) for row in record.history]

    estimates = column("wasserstein_estimate")
    return {
        "epochs": float(len(record.history)),
        "distance": distance,
        "log_distance": _log(distance),
        "progress": progress([*distances[:1], distance]),
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
    """Returns what fraction of the first distance is gone at the end: 0.5 if it has halved; NaN where there is none."""
    return 1.0 - last(distances) / distances[0] if distances and distances[0] > 0 else math.nan


def degradations(log_distances: Mapping[tuple[str, int], float], baseline: str) -> dict[tuple[str, int], float]:
    """Returns for each run but those of `baseline` how much farther away its images are than the same seed's there.

    Only getting worse counts: settings that improve on the assigned ones are no sign of instability.

    Arguments:
        log_distances: one model's, by (variation, seed).

    Returns:
        `max(0, log d_variation - log d_baseline)`, so 0.7 is twice the distance; NaN where one of them has none.
    """
    return {
        (variation, seed): float(np.maximum(0.0, value - log_distances.get((baseline, seed), math.nan)))
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
