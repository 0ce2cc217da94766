"""Rows of images, each with its own caption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting.figures.images import check_images, check_not_empty, to_rgb_pixels
from fashion_dgm.reporting.style import BLACK, BLUE, DPI, GREY, WIDTH, styled

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["COLUMNS", "CaptionedRow", "captioned_rows"]

COLUMNS = 9
"""Images in a row: as many as leave room for five characters under each."""

_LINE, _HEADING, _BETWEEN, _GAP = 31, 46, 26, 8  # pixels


@dataclass(frozen=True, eq=False)
class CaptionedRow:
    """Images with text around each.

    Arguments:
        images: uint8 in 0..255 or floats in `[0, 1]`, `(N, 1, H, W)`, N up to `COLUMNS`.
        heading: above the row.
        above: a word above each image, or nothing.
        below: lines below the images, one text an image in each; the first line is black, others are grey.
    """

    images: NDArray
    heading: str = ""
    above: tuple[str, ...] = ()
    below: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        check_images(self.images, COLUMNS)
        if len(self.images) > COLUMNS:
            raise FashionDGMError(f"a row holds at most {COLUMNS} images, not {len(self.images)}")
        for line in (self.above, *self.below):
            if line and len(line) != len(self.images):
                raise FashionDGMError(f"{len(self.images)} images need as many captions, not {len(line)}")


@styled
def captioned_rows(rows: Sequence[CaptionedRow]) -> Figure:
    """Draws rows of images with headings and captions, every image at the same size.

    Raises:
        FashionDGMError: if there is no row.
    """
    check_not_empty(dict(enumerate(rows)), "rows")
    width = round(WIDTH * DPI)
    cell = width // COLUMNS
    side = max(row.images.shape[2] for row in rows)
    size = (cell - _GAP) // side * side if side <= cell - _GAP else cell - _GAP
    heights = [
        (_HEADING if row.heading else 0) + (_LINE if row.above else 0) + size + _LINE * len(row.below) for row in rows
    ]
    # A row with a heading begins something new; others belong to the one above.
    gaps = [0] + [_BETWEEN if row.heading else 8 for row in rows[1:]]
    total = sum(heights) + sum(gaps) + 6
    figure = Figure(figsize=(width / DPI, total / DPI))
    top = 0
    for row, height, gap in zip(rows, heights, gaps, strict=True):
        _draw_row(figure, row, top + gap, (width, total), cell, size)
        top += gap + height
    return figure


def _mosaic(images: NDArray, cell: int, size: int) -> NDArray[np.float64]:
    """Lays images side by side, `size` pixels wide and `cell` apart, on white: `(size, width, 3)`."""
    canvas = np.ones((size, (len(images) - 1) * cell + size, 3))
    across = np.arange(size) * images.shape[3] // size
    down = np.arange(size) * images.shape[2] // size
    for index, image in enumerate(images):
        pixels = to_rgb_pixels(image[0])
        canvas[:, index * cell : index * cell + size] = pixels[down][:, across]
    return canvas


def _draw_row(figure: Figure, row: CaptionedRow, top: int, canvas: tuple[int, int], cell: int, size: int) -> None:
    width, total = canvas

    def write(x: float, y: float, text: str, **style: Any) -> None:
        figure.text(x / width, 1 - y / total, text, va="center", **style)

    if row.heading:
        write(0, top + 0.45 * _HEADING, row.heading, weight="bold", ha="left", color=BLACK)
        top += _HEADING
    middles = [index * cell + size / 2 for index in range(len(row.images))]
    if row.above:
        for middle, text in zip(middles, row.above, strict=True):
            write(middle, top + 0.45 * _LINE, text, ha="center", color=BLUE, size=9)
        top += _LINE
    # One mosaic a row: hundreds of axes would take minutes to draw.
    across = (len(row.images) - 1) * cell + size
    axes = figure.add_axes((0, 1 - (top + size) / total, across / width, size / total))
    axes.imshow(_mosaic(row.images, cell, size), interpolation="nearest", aspect="auto")
    axes.set_axis_off()
    for number, line in enumerate(row.below):
        for middle, text in zip(middles, line, strict=True):
            write(
                middle,
                top + size + (number + 0.55) * _LINE,
                text,
                ha="center",
                color=GREY if number else BLACK,
                size=9.5 if number == 0 else 9,
            )
