"""Precision, recall, density and coverage: quality and variety of samples as separate measures, by nearest neighbours.

Around each real image lies a ball that reaches to its k-th nearest real neighbour; the balls together stand for where real
images live. Precision is the fraction of samples in any ball, density counts the balls around a sample (over k, so it may
exceed 1), coverage is the fraction of balls that hold a sample, and recall is precision with the roles exchanged.

References:
    Kynkäänniemi et al., Improved precision and recall metric for assessing generative models (2019), eq. 1 to 3.
    Naeem et al., Reliable fidelity and diversity metrics for generative models (2020), eq. 3 to 5.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.checks import check_features

__all__ = ["Neighbourhoods", "neighbourhoods", "radii"]


@dataclass(frozen=True)
class Neighbourhoods:
    """Fractions in `[0, 1]`, but for `density`, which is not bounded by 1."""

    precision: float
    recall: float
    density: float
    coverage: float


def neighbourhoods(
    real: NDArray[np.floating],
    fake: NDArray[np.floating],
    k: int,
    memory_megabytes: int,
    real_radii: NDArray[np.float64] | None = None,
) -> Neighbourhoods:
    """Compares features `(N, D)` and `(M, D)` by their `k` nearest neighbours.

    A tie counts as outside, as in the authors' code: a set of equal samples has balls of radius 0 and so no recall.

    Arguments:
        memory_megabytes: what the distances that are held at a time may take; it changes nothing else.
        real_radii: those of `real`, as `radii` returns them, where many sets are compared with the same images.

    Raises:
        FashionDGMError: if the sets don't match, or one has no more than `k` features.
    """
    check_features(real, fake)
    if real_radii is None:
        real_radii = radii(real, k, memory_megabytes)
    fake_radii = radii(fake, k, memory_megabytes)
    balls = np.zeros(len(fake), dtype=np.int64)  # real balls around each sample
    recalled = np.zeros(len(real), dtype=bool)
    covered = np.zeros(len(real), dtype=bool)
    for rows, distances in _squared_distances(real, fake, memory_megabytes):
        inside = distances < real_radii[rows, None]
        balls += inside.sum(axis=0)
        covered[rows] = inside.any(axis=1)
        recalled[rows] = (distances < fake_radii[None, :]).any(axis=1)
    return Neighbourhoods(
        precision=float((balls > 0).mean()),
        recall=float(recalled.mean()),
        density=float(balls.mean() / k),
        coverage=float(covered.mean()),
    )


def radii(features: NDArray[np.floating], k: int, memory_megabytes: int) -> NDArray[np.float64]:
    """Returns the squared distance of each of the features `(N, D)` to its `k`-th nearest neighbour, itself left out.

    Raises:
        FashionDGMError: if there are no `k` others.
    """
    if len(features) <= k:
        raise FashionDGMError(f"{len(features)} images have no {k} nearest neighbours; take more images or a smaller k")
    found = np.empty(len(features))
    for rows, distances in _squared_distances(features, features, memory_megabytes):
        # By rounding, an image may not be at 0 from itself, so it is taken out by name.
        distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = np.inf
        found[rows] = np.partition(distances, k - 1, axis=1)[:, k - 1]
    return found


def _squared_distances(
    first: NDArray[np.floating], second: NDArray[np.floating], memory_megabytes: int
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yields blocks of rows of the `(N, M)` squared distances, in float64."""
    # Differences stay and cancellation shrinks where features are measured from their middle.
    middle = first.mean(axis=0, dtype=np.float64)
    left, right = first.astype(np.float64) - middle, second.astype(np.float64) - middle
    left_norms, right_norms = (np.einsum("nd,nd->n", side, side) for side in (left, right))
    # A block, its comparison with the radii and a copy for sorting.
    step = max(1, memory_megabytes * 2**20 // (3 * 8 * len(second)))
    for start in range(0, len(first), step):
        rows = slice(start, min(start + step, len(first)))
        block = left[rows] @ right.T
        block *= -2.0
        block += left_norms[rows, None]
        block += right_norms[None, :]
        yield rows, np.maximum(block, 0.0, out=block)
