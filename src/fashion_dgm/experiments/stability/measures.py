"""What is measured of one run, and of a series of values in it; docs/stability.md gives the formulas.

A series is a loss or a distance by epoch, `y_1, ..., y_n`. Values that are missing or not finite are no part of it, so a
measure of a run that broke off is that of what it did before. Where too little is left to say anything, a measure is NaN,
never 0.

References:
    Gasser, Sroka and Jennen-Steinmetz, Residual variance and residual pattern in nonlinear regression (1986), eq. 2.
"""

# Explained in docs/stability.md.

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fashion_dgm.config import StabilityConfig
from fashion_dgm.metrics.modes import class_entropy, missing_classes

__all__ = [
    "COMPARED",
    "PRIMARY",
    "RATIOS",
    "RunRecord",
    "Score",
    "coefficient_of_variation",
    "last",
    "measures_of",
    "oscillation",
    "relative_oscillation",
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
        distance: Fréchet classifier distance to the official test images.
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
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        scores = [Score(entry["epoch"], entry["distance"], tuple(entry["class_fractions"])) for entry in data["scores"]]
        return cls(**{**data, "scores": scores})


def measures_of(record: RunRecord, study: StabilityConfig, untrained: float) -> dict[str, float]:
    """Returns the measures of one run; NaN where it broke off too early to have one.

    Arguments:
        study: which fraction of the images makes a class missing, and how many missing classes are a collapse.
        untrained: the distance of a generator that has learned nothing, which is taken for that of a run that diverged.
    """
    distances = [score.distance for score in record.scores]
    ended = record.scores[-1].class_fractions if record.scores else ()
    diverged = record.status == "diverged"
    missing = missing_classes(ended, study.missing_fraction) if ended else math.nan
    collapsed = missing >= study.missing_classes
    distance = untrained if diverged else last(distances)

    def column(name: str) -> list[float]:
        return [row.get(name, math.nan) for row in record.history]

    estimates = column("wasserstein_estimate")
    return {
        "epochs": float(len(record.history)),
        "distance": distance,
        "log_distance": _log(distance),
        # Which fraction of the first distance is gone: 0.5 if it has halved.
        "progress": 1.0 - distance / distances[0] if distances and distances[0] > 0 else math.nan,
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


def _log(value: float) -> float:
    return math.log(value) if value > 0 and math.isfinite(value) else math.nan


def oscillation(values: ArrayLike) -> float:
    r"""Returns the standard deviation of a series about its own smooth trend, in its units; NaN for fewer than 3 values.

    Each value is compared with the straight line through its neighbours, `e_i = y_i - (y_{i-1} + y_{i+1}) / 2`, and
    `s^2 = 2/3 mean(e_i^2)`. A straight line has none, however steep, and a slow bend next to none; white noise of variance
    `s^2` has `s`; a sine of amplitude `A` and `w` radians a step has `A (1 - cos w) / sqrt(3)`.
    """
    y = _finite(values)
    if len(y) < 3:
        return math.nan
    residuals = y[1:-1] - (y[:-2] + y[2:]) / 2.0
    return math.sqrt(2.0 / 3.0 * float(np.mean(residuals**2)))


def relative_oscillation(values: ArrayLike) -> float:
    """Returns `oscillation` over the mean absolute value; NaN where that is 0 or there are fewer than 3 values."""
    y = _finite(values)
    scale = float(np.abs(y).mean()) if len(y) else 0.0
    return oscillation(y) / scale if scale > 0 else math.nan


def coefficient_of_variation(values: ArrayLike) -> float:
    """Returns the standard deviation over the mean of a positive series, trend included; NaN for fewer than 2 values."""
    y = _finite(values)
    if len(y) < 2 or y.mean() <= 0:
        return math.nan
    return float(y.std(ddof=1) / y.mean())


def last(values: ArrayLike) -> float:
    """Returns the last finite value, or NaN where there is none."""
    y = _finite(values)
    return float(y[-1]) if len(y) else math.nan


def _finite(values: ArrayLike) -> NDArray[np.float64]:
    y = np.asarray(values, dtype=np.float64).ravel()
    return y[np.isfinite(y)]
