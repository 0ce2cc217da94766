"""How well a score separates in-distribution from OOD images."""

# Explained in docs/reading-the-numbers.md and docs/theory/likelihood-ood.md.

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.resampling import Partners, multiplicities

__all__ = ["Detection", "detection"]

Interval = tuple[float, float]

RECALL = 0.95
# Replicates at once: what they need then stays in the processor's cache.
BLOCK = 50


@dataclass(frozen=True)
class Detection:
    """Areas under the ROC and the precision-recall curve, and the fraction of false alarms where 95% are found.

    Each with a percentile bootstrap interval; and the AUROC of each resample, `(bootstrap,)`.
    """

    auroc: float
    auroc_interval: Interval
    aupr: float
    aupr_interval: Interval
    fpr95: float
    fpr95_interval: Interval
    auroc_replicates: NDArray[np.float64] = field(repr=False, compare=False)


def detection(
    in_scores: NDArray[np.floating],
    out_scores: NDArray[np.floating],
    bootstrap: int,
    confidence: float,
    seed: int,
    partners: Partners | None = None,
) -> Detection:
    """Scores a one-sided detector that calls high scores out-of-distribution (the positive class).

    Each bootstrap replicate keeps the sizes of both sets, and with them the AUPR of a coin flip. Independent sets are
    resampled each on its own; images made from in-distribution ones are resampled together with these. Sets of the same
    sizes and partners are resampled alike, so that scores of the same images can be compared replicate by replicate.

    Arguments:
        in_scores: scores of in-distribution images, `(N,)`.
        out_scores: scores of out-of-distribution images, `(M,)`.
        bootstrap: number of replicates.
        confidence: level of the intervals, in `(0, 1)`.
        partners: of images made from in-distribution ones, the index of each one's original, `(M,)`; -1 for none.

    Raises:
        FashionDGMError: if a set is empty or holds scores that are not finite.

    References:
        Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13: percentile intervals.
    """
    for name, scores in (("in-distribution", in_scores), ("out-of-distribution", out_scores)):
        if len(scores) == 0 or not np.isfinite(scores).all():
            raise FashionDGMError(f"the {name} set has no scores, or some that are NaN or infinite")
    curve = _Curve(np.asarray(in_scores, np.float64), np.asarray(out_scores, np.float64))
    exact = curve.areas(np.ones((1, len(in_scores)), np.int32), np.ones((1, len(out_scores)), np.int32))[0]
    inside, outside = multiplicities(len(in_scores), len(out_scores), bootstrap, seed, partners)
    replicates = np.concatenate(
        [curve.areas(inside[at : at + BLOCK], outside[at : at + BLOCK]) for at in range(0, bootstrap, BLOCK)]
    )
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(replicates, [tail, 1.0 - tail], axis=0)
    intervals = [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
    auroc, aupr, fpr95 = exact.tolist()
    return Detection(auroc, intervals[0], aupr, intervals[1], fpr95, intervals[2], replicates[:, 0])


class _Curve:
    """The ROC curve at every distinct score of an OOD image, from the highest down, under any weights of the images.

    The scores are sorted once; a resample with replacement is a weighting by whole numbers and needs no new sort.
    """

    def __init__(self, inside: NDArray[np.float64], outside: NDArray[np.float64]) -> None:
        self.in_order = np.argsort(inside, kind="stable")
        self.out_order = np.argsort(-outside, kind="stable")
        ordered = inside[self.in_order]
        values, self.starts = np.unique(-outside[self.out_order], return_index=True)
        thresholds = -values
        self.below = np.searchsorted(ordered, thresholds, "left")
        self.not_above = np.searchsorted(ordered, thresholds, "right")

    def areas(self, inside: NDArray[np.integer], outside: NDArray[np.integer]) -> NDArray[np.float64]:
        """Returns AUROC, AUPR (average precision) and false positive rate, `(B, 3)`, of weights `(B, N)` and `(B, M)`."""
        cumulative = np.zeros((len(inside), inside.shape[1] + 1), np.int32)
        np.cumsum(inside[:, self.in_order], axis=1, dtype=np.int32, out=cumulative[:, 1:])
        total_in = cumulative[:, -1:]
        false_positives = total_in - cumulative[:, self.below]  # scores of at least the threshold
        above = total_in - cumulative[:, self.not_above]
        found = np.add.reduceat(outside[:, self.out_order], self.starts, axis=1, dtype=np.int32)
        true_positives = np.cumsum(found, axis=1, dtype=np.int32)
        total_out = true_positives[:, -1]
        # Of a pair with equal scores, half is counted as in the right order.
        wrong = (found * (0.5 * (false_positives + above))).sum(1)
        auroc = 1.0 - wrong / (total_in[:, 0] * total_out.astype(np.float64))
        precision = true_positives / np.maximum(true_positives + false_positives, 1)
        aupr = (found * precision).sum(1) / total_out
        reached = (true_positives >= RECALL * total_out[:, None]).argmax(1)
        fpr = false_positives[np.arange(len(reached)), reached] / total_in[:, 0]
        return np.stack([auroc, aupr, fpr], axis=1)
