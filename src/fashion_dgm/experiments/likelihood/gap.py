"""What the difference between two sets of images in bits per dimension comes from."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.resampling import Estimate, Partners, estimate, multiplicities

__all__ = ["complexity_line", "gap_by_part"]

Array = NDArray[np.float64]


def gap_by_part(
    inside: Mapping[str, Array],
    outside: Mapping[str, Array],
    bootstrap: int,
    confidence: float,
    seed: int,
    partners: Partners | None = None,
) -> dict[str, Any]:
    """Splits the difference of mean bits/dim, outside minus inside, in the parts that add up to it.

    Both sets are resampled on their own, but for images that were made from others, which are resampled with them. A
    part's fraction is its difference over the whole; the fractions add up to 1, and some may be negative.
    Where the interval of the whole holds 0, there is no gap to divide, and fractions are None.

    Arguments:
        inside: part to bits/dim of in-distribution images, `(N,)`.
        outside: the same parts of other images, `(M,)`.
        partners: which image each of these was made from, as `metrics.resampling.multiplicities` takes it.

    Returns:
        `{"difference", "difference_interval", "parts": {name: {"difference", "difference_interval", "fraction",
        "fraction_interval"}}}`.

    Raises:
        FashionDGMError: if the parts differ.
    """
    if list(inside) != list(outside):
        raise FashionDGMError(f"two sets decomposed by one flow have the same parts, not {[*inside]} and {[*outside]}")
    ours, theirs = (np.stack([*parts.values()], axis=1) for parts in (inside, outside))
    means = theirs.mean(0) - ours.mean(0)
    ours_drawn, theirs_drawn = multiplicities(len(ours), len(theirs), bootstrap, seed, partners)
    replicates = theirs_drawn @ theirs / len(theirs) - ours_drawn @ ours / len(ours)
    total = estimate(means.sum(), replicates.sum(1), confidence)
    parts = {
        name: estimate(mean, drawn, confidence).as_dict("difference")
        | _fraction(mean, drawn, total, replicates.sum(1), confidence)
        for name, mean, drawn in zip(inside, means, replicates.T, strict=True)
    }
    return total.as_dict("difference") | {"parts": parts}


def complexity_line(
    inside: tuple[Array, Array],
    outside: tuple[Array, Array],
    bootstrap: int,
    confidence: float,
    seed: int,
    partners: Partners | None = None,
) -> dict[str, Any]:
    """Computes how much of a gap in bits/dim the images' complexity accounts for.

    A straight line is fitted by least squares to the bits/dim of in-distribution images over their complexity; it has
    seen no other image. At the mean complexity of the others it predicts their mean bits/dim, if complexity were all
    that counts.

    Arguments:
        inside: complexity and bits/dim of in-distribution images, `(N,)` each.
        outside: those of other images, `(M,)` each.
        partners: which image each of these was made from, as `gap_by_part` takes it.

    Returns:
        `{"slope", "intercept", "predicted", "predicted_interval", "fraction", "fraction_interval"}`: the predicted mean
        bits/dim, and the predicted gap over the measured one, None where the measured gap's interval holds 0.
    """
    slope, intercept = _line(*inside)
    # Means of x, y, x^2 and xy are all that a least-squares line needs, so a resample of rows is one of means.
    x, y = inside
    ours_drawn, theirs_drawn = multiplicities(len(x), len(outside[0]), bootstrap, seed, partners)
    moments = ours_drawn @ np.stack([x, y, x * x, x * y], axis=1) / len(x)
    slopes = (moments[:, 3] - moments[:, 0] * moments[:, 1]) / (moments[:, 2] - moments[:, 0] ** 2)
    theirs = theirs_drawn @ np.stack(outside, axis=1) / len(outside[0])
    predicted_gaps = slopes * (theirs[:, 0] - moments[:, 0])
    gaps = theirs[:, 1] - moments[:, 1]
    mean_x, mean_y = outside[0].mean(), outside[1].mean()
    prediction = estimate(intercept + slope * mean_x, moments[:, 1] + predicted_gaps, confidence)
    measured = estimate(mean_y - y.mean(), gaps, confidence)
    fraction = _fraction(slope * (mean_x - x.mean()), predicted_gaps, measured, gaps, confidence)
    return {"slope": float(slope), "intercept": float(intercept)} | prediction.as_dict("predicted") | fraction


def _fraction(part: float, drawn: Array, whole: Estimate, whole_drawn: Array, confidence: float) -> dict[str, Any]:
    """The fraction of a whole; None where the interval of the whole holds 0, and there is nothing to divide."""
    if whole.interval[0] <= 0 <= whole.interval[1]:
        return {"fraction": None, "fraction_interval": None}
    return estimate(part / whole.value, drawn / whole_drawn, confidence).as_dict("fraction")


def _line(x: Array, y: Array) -> tuple[float, float]:
    deviation = x - x.mean()
    spread = float(deviation @ deviation)
    slope = float(deviation @ y) / spread if spread > 0 else float("nan")
    return slope, float(y.mean() - slope * x.mean())
