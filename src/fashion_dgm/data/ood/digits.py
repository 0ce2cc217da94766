"""Scikit-learn's handwritten digits: 1,797 of 8x8 pixels and 17 grey levels, which come with the package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fashion_dgm.data.ood.convert import Conversion, grey_of_arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["load_digits"]


def load_digits() -> tuple[NDArray[np.uint8], str]:
    """The digits as uint8 `(1797, 1, 28, 28)`, and what was done to make them so.

    Enlarged from 8x8 they are far smoother than MNIST: a likelihood may detect them by that alone.

    References:
        Alpaydin and Kaynak, Optical Recognition of Handwritten Digits (UCI, 1998).
    """
    from sklearn import datasets

    conversion = Conversion({(8, 8)}, {"levels 0..16 to 0..255"})
    sixteenths = datasets.load_digits().images
    pixels = np.rint(sixteenths * (255 / 16)).astype(np.uint8)
    return grey_of_arrays(pixels, slice(None), conversion, "digits")[:, None], conversion.describe()
