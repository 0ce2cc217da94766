"""What the out-of-distribution sets look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from fashion_dgm.reporting.figures.images import Block, check_images, check_not_empty, draw_blocks, stack_rows
from fashion_dgm.reporting.style import styled
from fashion_dgm.reporting.wording import dataset_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ood_set_examples"]

_LABEL_INCHES = 1.75
_GROUND = to_rgb("#a9cbe6")  # on which black, white and every grey between can be seen
_BORDER = 2


@styled
def ood_set_examples(sets: Mapping[str, NDArray], columns: int = 11) -> Figure:
    """Draws a row of images for each set, taken at even distances through it: many sets are sorted by class.

    Arguments:
        sets: name to uint8 images `(N, 1, H, W)`, in the order of the rows.
        columns: images in a row, at most.

    Raises:
        FashionDGMError: if there is no set, or a set has no image.
    """
    check_not_empty(sets, "sets")
    rows = []
    for images in sets.values():
        check_images(images, columns)
        rows.append(images[np.linspace(0, len(images) - 1, min(columns, len(images))).round().astype(int)])
    labels = tuple(_label(name) for name in sets)
    inner = stack_rows(rows, columns, _GROUND)
    mosaic = np.full((inner.shape[0] + 2 * _BORDER, inner.shape[1] + 2 * _BORDER, 3), _GROUND)
    mosaic[_BORDER:-_BORDER, _BORDER:-_BORDER] = inner
    return draw_blocks([Block(mosaic, row_labels=labels)], columns, _LABEL_INCHES)


def _label(name: str, longest: int = 22) -> str:
    label = dataset_name(name).removeprefix("FashionMNIST ")
    return label if len(label) <= longest else f"{label[: longest - 1]}…"
