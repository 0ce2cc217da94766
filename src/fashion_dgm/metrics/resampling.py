"""Estimates with percentile bootstrap intervals.

References:
    Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13: percentile intervals.
"""

import functools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from fashion_dgm.errors import FashionDGMError

__all__ = ["Estimate", "Partners", "estimate", "mean_estimate", "multiplicities", "paired_auroc", "spearman"]

Array = NDArray[np.float64]
Partners = NDArray[np.integer]
"""Of each out-of-distribution image the index of the in-distribution image that it was made from, -1 for none."""


class Estimate(NamedTuple):
    """A value with its bootstrap interval."""

    value: float
    interval: tuple[float, float]

    def as_dict(self, name: str = "value") -> dict[str, Any]:
        """Returns `{name: value, name_interval: [low, high]}`, as JSON can hold it."""
        return {name: self.value, f"{name}_interval": list(self.interval)}


def estimate(value: float, replicates: Array, confidence: float) -> Estimate:
    """Returns a value with the central interval of its replicates `(B,)`."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return Estimate(float(value), (float(low), float(high)))


def mean_estimate(values: Array, bootstrap: int, confidence: float, rng: np.random.Generator) -> Estimate:
    """Returns the mean of values `(N,)` with an interval over `bootstrap` resamples of them."""
    count = len(values)
    weights = rng.multinomial(count, np.full(count, 1 / count), size=bootstrap)
    return estimate(values.mean(), weights @ values / count, confidence)


def multiplicities(
    inside: int, outside: int, bootstrap: int, seed: int, partners: Partners | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns how often each image of two sets is drawn in each resample, `(bootstrap, inside)` and `(bootstrap, outside)`.

    An image that was made from another is drawn as often as that one: the pair is what is resampled. Pairs, images without a
    partner and partners without an image are three strata, each resampled on its own, so all sizes stay as they are.

    Arguments:
        inside, outside: sizes of the two sets.
        partners: `(outside,)`; an index beyond `inside` is that of an image that is not there, as after subsampling.

    Raises:
        FashionDGMError: if there is not one partner (or -1) for each image outside, or two images share one.
    """
    if partners is None:
        return _drawn(inside, bootstrap, seed, 0), _drawn(outside, bootstrap, seed, 1)
    paired = (partners >= 0) & (partners < inside)
    if len(partners) != outside or len(np.unique(partners[paired])) < paired.sum():
        raise FashionDGMError(f"{outside} images need a partner of their own each, or -1, not {len(partners)} partners")
    rest = np.setdiff1d(np.arange(inside), partners[paired])
    ours, theirs = np.empty((bootstrap, inside), np.uint8), np.empty((bootstrap, outside), np.uint8)
    ours[:, partners[paired]] = theirs[:, paired] = _drawn(int(paired.sum()), bootstrap, seed, 2)
    ours[:, rest] = _drawn(len(rest), bootstrap, seed, 0)
    theirs[:, ~paired] = _drawn(int((~paired).sum()), bootstrap, seed, 1)
    return ours, theirs


@functools.lru_cache(maxsize=16)
def _drawn(count: int, replicates: int, seed: int, stratum: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng([seed, stratum, count])
    rows = np.empty((replicates, count), np.uint8)
    for row in rows:
        row[:] = np.bincount(rng.integers(max(count, 1), size=count), minlength=count)
    return rows


def spearman(x: Array, y: Array, bootstrap: int, confidence: float, seed: int) -> Estimate:
    """Returns Spearman's rank correlation of pairs, ties at their mean rank, with an interval over resampled pairs.

    NaN where a side is constant.

    Arguments:
        x: one side, `(N,)`.
        y: the other, `(N,)`.
        bootstrap: number of resamples.
        confidence: level of the interval, in `(0, 1)`.
        seed: of the resamples.

    Raises:
        FashionDGMError: if the sides differ in length or have fewer than 3 pairs.
    """
    if len(x) != len(y) or len(x) < 3:
        raise FashionDGMError(f"a rank correlation needs at least 3 pairs, not {len(x)} and {len(y)} values")
    rng = np.random.default_rng(seed)
    picks = (rng.integers(len(x), size=len(x)) for _ in range(bootstrap))
    replicates = np.array([_correlation(x[pick], y[pick]) for pick in picks])
    return estimate(_correlation(x, y), replicates, confidence)


def paired_auroc(before: Array, after: Array, bootstrap: int, confidence: float, seed: int) -> Estimate:
    """Returns the AUROC of scores of changed images against those of the images themselves, high meaning changed.

    Images are resampled, and each brings both of its scores along: two sets of scores of the same images are not
    independent.

    Arguments:
        before: scores of the images, `(N,)`.
        after: scores of the same images, changed, `(N,)`.
        bootstrap: number of resamples.
        confidence: level of the interval, in `(0, 1)`.
        seed: of the resamples.

    Raises:
        FashionDGMError: if there are not as many scores on each side.
    """
    if len(before) != len(after) or len(before) == 0:
        raise FashionDGMError(f"changed images need a score each, as the images do, not {len(after)} for {len(before)}")
    rng = np.random.default_rng(seed)
    count = len(before)
    wins = np.sign(after[:, None] - before[None, :]) / 2 + 0.5
    weights = rng.multinomial(count, np.full(count, 1 / count), size=bootstrap)
    replicates = ((weights @ wins) * weights).sum(1) / count**2
    return estimate(wins.mean(), replicates, confidence)


def _correlation(x: Array, y: Array) -> float:
    a, b = rankdata(x), rankdata(y)
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale > 0 else float("nan")
