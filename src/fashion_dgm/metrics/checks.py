"""What all comparisons of two sets of features ask of them."""

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.errors import FashionDGMError

__all__ = ["check_features"]


def check_features(*sets: NDArray[np.floating]) -> None:
    """Checks that all are finite features `(N >= 2, D)` of one dimension.

    Raises:
        FashionDGMError: if they are not.
    """
    for features in sets:
        if features.ndim != 2 or len(features) < 2:
            raise FashionDGMError(f"a comparison needs features of shape (N >= 2, D), not {features.shape}")
        if not np.isfinite(features).all():
            raise FashionDGMError("features hold NaN or infinite values; look at the images they came from")
    dimensions = sorted({features.shape[1] for features in sets})
    if len(dimensions) > 1:
        raise FashionDGMError(f"features of dimension {dimensions[0]} and {dimensions[1]} cannot be compared")
