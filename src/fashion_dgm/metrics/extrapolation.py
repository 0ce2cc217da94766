r"""The Fréchet distance that infinitely many images on both sides would have, with its standard error.

To first order the estimate from N samples and M real images is too high by `a / N + b / M`; both `a` and `b` depend on both
distributions. A line in 1/N removes this bias (Chong and Forsyth). Here it is drawn through two sizes: all images, and all
but one of `g` disjoint groups, left out of both sides at once and averaged over the groups. Where it meets the axis is the
delete-a-group jackknife `g d - (g - 1) mean_j d_(-j)`, and the standard deviation of the pseudo-values
`g d - (g - 1) d_(-j)` over `sqrt(g)` is its standard error, with g - 1 degrees of freedom. Both sides count as samples of
their distribution, so the error covers the choice of the real images, too. Where the two distributions are equal, the
distance has no linear term and the standard error is too large, by a factor of up to `sqrt(2)`: never too small.

A side in which each class has a fixed fraction (real images here) varies less than a random draw, and so must its groups:
they are stratified by its labels. With groups drawn at random instead, a bias would be removed that is not there.

References:
    Chong and Forsyth, Effectively unbiased FID and Inception Score and where to find them (2020), section 3: the line.
    Shao and Tu, The Jackknife and Bootstrap (1995), sections 2.1 and 2.3: pseudo-values, bias and variance by groups.
"""

# Explained in docs/reading-the-numbers.md.

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.checks import check_features
from fashion_dgm.metrics.frechet import Gaussian, frechet_distance

__all__ = ["Extrapolation", "extrapolated_distance"]

Labels = NDArray[np.integer]


@dataclass(frozen=True)
class Extrapolation:
    """A distance without its bias of first order; below 0 by chance where the true one is near 0."""

    distance: float
    standard_error: float


def extrapolated_distance(
    real: NDArray[np.floating],
    fake: NDArray[np.floating],
    groups: int,
    seed: int,
    real_labels: Labels | None = None,
    fake_labels: Labels | None = None,
) -> Extrapolation:
    """Extrapolates the distance of features `(M, D)` and `(N, D)` to infinite M and N.

    Arguments:
        groups: disjoint groups into which each side is divided at random; what is left over by the division is not used.
        real_labels: classes `(M,)` whose fractions among the real images are fixed; None for a random draw.
        fake_labels: the same `(N,)` of the other side.

    Raises:
        FashionDGMError: if the sides don't match, or one without a group has fewer than 2 D features: the covariances are
            then near singular, and the bias is no line in 1/N.
    """
    check_features(real, fake)
    smallest = min(len(real), len(fake)) // groups * (groups - 1)
    if smallest < 2 * fake.shape[1]:
        raise FashionDGMError(
            f"{min(len(real), len(fake))} images are too few to extrapolate a distance in {fake.shape[1]} features to "
            f"infinite N: {2 * fake.shape[1]} must remain without one of {groups} groups"
        )
    rng = np.random.default_rng(seed)
    sides = [_grouped(side, labels, groups, rng) for side, labels in ((real, real_labels), (fake, fake_labels))]
    whole = frechet_distance(*(Gaussian.fit(side) for side in sides))
    without = [frechet_distance(*pair) for pair in zip(*(_leave_out(side, groups) for side in sides), strict=True)]
    pseudo = groups * whole - (groups - 1) * np.array(without)
    return Extrapolation(float(pseudo.mean()), float(pseudo.std(ddof=1) / np.sqrt(groups)))


def _grouped(
    features: NDArray[np.floating], labels: Labels | None, groups: int, rng: np.random.Generator
) -> NDArray[np.floating]:
    """Returns the features group after group, each class spread evenly over the groups."""
    order = rng.permutation(len(features))[: len(features) // groups * groups]
    if labels is not None:
        order = order[np.argsort(labels[order], kind="stable")]
    return features[np.concatenate([order[first::groups] for first in range(groups)])]


def _leave_out(features: NDArray[np.floating], groups: int) -> Iterator[Gaussian]:
    """Yields the fit to `(N, D)` without each of the groups, from sums over all features less those over the group."""
    center = features.mean(axis=0, dtype=np.float64)
    centered = features - center
    products, total = centered.T @ centered, centered.sum(axis=0)
    for part in np.split(centered, groups):
        count = len(centered) - len(part)
        mean = (total - part.sum(axis=0)) / count
        covariance = (products - part.T @ part - count * np.outer(mean, mean)) / (count - 1)
        yield Gaussian(center + mean, covariance, count)
