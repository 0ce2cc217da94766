"""Quality of one set of samples compared with real images, in one feature space."""

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.config import FIDConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.extrapolation import extrapolated_distance
from fashion_dgm.metrics.kernel_distance import kernel_distance
from fashion_dgm.metrics.neighbours import neighbourhoods
from fashion_dgm.training.seeds import derive_seed

__all__ = ["QUALITY_COLUMNS", "quality"]

QUALITY_COLUMNS = (
    "distance_infinite",
    "distance_infinite_error",
    "kid",
    "kid_deviation",
    "kid_subset",
    "precision",
    "recall",
    "density",
    "coverage",
)


def quality(
    real: NDArray[np.floating],
    fake: NDArray[np.floating],
    config: FIDConfig,
    real_labels: NDArray[np.integer] | None = None,
    fake_labels: NDArray[np.integer] | None = None,
    real_radii: NDArray[np.float64] | None = None,
) -> tuple[dict[str, float | None], list[str]]:
    """Returns kernel distance, distance at infinite N, precision, recall, density and coverage of features `(N, D)`.

    Arguments:
        real_labels: classes of the real images, `(M,)`, if each has a fixed fraction of them; None for a random draw.
        fake_labels: the same of `fake`.
        real_radii: as `metrics.neighbours.radii` returns them, where they are known; None computes them.

    Returns:
        A value for each of `QUALITY_COLUMNS`, None where the samples are too few for it; and why.
    """
    found: dict[str, float | None] = dict.fromkeys(QUALITY_COLUMNS)
    reasons = []
    try:
        seed = derive_seed(config.seed, "extrapolation")
        line = extrapolated_distance(real, fake, config.extrapolation_groups, seed, real_labels, fake_labels)
        found |= {"distance_infinite": line.distance, "distance_infinite_error": line.standard_error}
    except FashionDGMError as error:
        reasons.append(str(error))
    try:
        kid = kernel_distance(real, fake, config.kid.subsets, config.kid.subset_size, derive_seed(config.seed, "kid"))
        found |= {"kid": kid.mean, "kid_deviation": kid.deviation, "kid_subset": kid.subset_size}
    except FashionDGMError as error:
        reasons.append(str(error))
    try:
        found |= asdict(neighbourhoods(real, fake, config.neighbours, config.memory_megabytes, real_radii))
    except FashionDGMError as error:
        reasons.append(str(error))
    return found, reasons
