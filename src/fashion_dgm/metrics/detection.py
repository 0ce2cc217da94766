"""How well a score tells in-distribution from out-of-distribution images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from fashion_dgm.errors import FashionDGMError

__all__ = ["Detection", "detection"]

Interval = tuple[float, float]


@dataclass(frozen=True)
class Detection:
    """Areas under the ROC and the precision-recall curve, each with a percentile bootstrap interval."""

    auroc: float
    auroc_interval: Interval
    aupr: float
    aupr_interval: Interval


def detection(
    in_scores: NDArray[np.floating],
    out_scores: NDArray[np.floating],
    bootstrap: int,
    confidence: float,
    seed: int,
) -> Detection:
    """Scores a one-sided detector that calls high scores out-of-distribution (the positive class).

    Each bootstrap replicate resamples both sets on their own, so their sizes, and with them the AUPR of a coin flip, stay.

    Arguments:
        in_scores: scores of in-distribution images, `(N,)`.
        out_scores: scores of out-of-distribution images, `(M,)`.
        bootstrap: number of replicates.
        confidence: level of the intervals, in `(0, 1)`.

    Raises:
        FashionDGMError: if a set is empty or holds scores that are not finite.

    References:
        Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13: percentile intervals.
    """
    for name, scores in (("in-distribution", in_scores), ("out-of-distribution", out_scores)):
        if len(scores) == 0 or not np.isfinite(scores).all():
            raise FashionDGMError(f"the {name} set has no scores, or some that are NaN or infinite")
    positive = np.concatenate([np.zeros(len(in_scores)), np.ones(len(out_scores))])
    scores = np.concatenate([in_scores, out_scores]).astype(np.float64)
    rng = np.random.default_rng(seed)
    replicates = np.empty((bootstrap, 2))
    for replicate in replicates:
        # Weights of a multinomial draw are a resample with replacement that needs no new sort of the scores.
        weights = np.concatenate([_multiplicities(len(in_scores), rng), _multiplicities(len(out_scores), rng)])
        replicate[:] = (
            roc_auc_score(positive, scores, sample_weight=weights),
            average_precision_score(positive, scores, sample_weight=weights),
        )
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(replicates, [tail, 1.0 - tail], axis=0)
    return Detection(
        auroc=float(roc_auc_score(positive, scores)),
        auroc_interval=(float(low[0]), float(high[0])),
        aupr=float(average_precision_score(positive, scores)),
        aupr_interval=(float(low[1]), float(high[1])),
    )


def _multiplicities(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.bincount(rng.integers(count, size=count), minlength=count)
