"""Images in grids, in labelled rows, and with captions of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting.figures.axes import check_not_empty, thinned
from fashion_dgm.reporting.style import BLACK, BLUE, DPI, GREY, VERMILLION, WIDTH, styled
from fashion_dgm.reporting.wording import dataset_name

__all__ = ["class_examples", "flow_samples", "image_grid", "ood_set_examples", "snapshot_strip"]

_GAP = 2
_LARGEST_SCALE = 5
_MAX_STRIP_ROWS = 8
_LABEL_INCHES, _LONGEST_LABEL = 1.75, 22
_GROUND = to_rgb("#a9cbe6")  # on which black, white and every grey between can be seen
_BORDER = 2

COLUMNS = 9
"""Images in a row: as many as leave room for five characters under each."""

_LINE, _HEADING, _BETWEEN, _CAPTION_GAP = 31, 46, 26, 8  # pixels


@dataclass(frozen=True)
class Block:
    """A mosaic `(height, width, 3)` in `[0, 1]` with labels above and to the left."""

    mosaic: NDArray[np.float64]
    heading: str | None = None
    row_labels: tuple[str, ...] = ()


@styled
def image_grid(images: NDArray, columns: int) -> Figure:
    """Draws images row by row.

    Arguments:
        images: uint8 in 0..255 or floats in `[0, 1]`, `(N, 1, H, W)`; floats outside are clipped.
        columns: images in a row; the last row may be shorter.

    Raises:
        FashionDGMError: if there is no image, the shape is another, or `columns` is less than 1.
    """
    return draw_blocks([Block(mosaic_of(images, columns))])


@styled
def class_examples(images: NDArray, labels: NDArray, class_names: Sequence[str], per_class: int) -> Figure:
    """Draws the first `per_class` images of each class, a row a class, with its name.

    Arguments:
        images: uint8 or floats in `[0, 1]`, `(N, 1, H, W)`.
        labels: integers in `0..len(class_names) - 1`, `(N,)`. A class without images gets an empty row.
        class_names: one name a class.
        per_class: images in a row.

    Raises:
        FashionDGMError: if shapes do not fit.
    """
    if len(labels) != len(images):
        raise FashionDGMError(f"{len(images)} images need as many labels, not {len(labels)}")
    check_images(images, per_class)
    rows = [images[np.flatnonzero(np.asarray(labels) == label)[:per_class]] for label in range(len(class_names))]
    return draw_blocks([Block(stack_rows(rows, per_class), row_labels=tuple(class_names))])


@styled
def flow_samples(samples: Mapping[float, NDArray], columns: int) -> Figure:
    """Draws samples of a flow, one block a temperature, in ascending order.

    Arguments:
        samples: temperature to floats in `[0, 1]`, `(N, 1, H, W)`.
        columns: images in a row.

    Raises:
        FashionDGMError: if there is no block, or a block has no image.
    """
    check_not_empty(samples, "temperatures")
    return draw_blocks([Block(mosaic_of(images, columns), f"T = {t:g}") for t, images in sorted(samples.items())])


@styled
def snapshot_strip(samples: Mapping[int, NDArray]) -> Figure:
    """Draws what a generator makes of the same latents as training goes on: a row an epoch, a column a latent.

    Of more than eight epochs the first, the last and six evenly spaced ones between are shown.

    Arguments:
        samples: epoch to floats in `[0, 1]`, `(N, 1, H, W)`.

    Raises:
        FashionDGMError: if there is no epoch, or an epoch has no image.
    """
    check_not_empty(samples, "epochs")
    epochs = thinned(sorted(samples), _MAX_STRIP_ROWS)
    columns = max(len(samples[epoch]) for epoch in epochs)
    for epoch in epochs:
        check_images(samples[epoch], columns)
    mosaic = stack_rows([samples[epoch] for epoch in epochs], columns)
    return draw_blocks([Block(mosaic, row_labels=tuple(f"epoch {epoch}" for epoch in epochs))])


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
        rows.append(images[thinned(range(len(images)), columns)])
    labels = tuple(_short(dataset_name(name).removeprefix("FashionMNIST ")) for name in sets)
    inner = stack_rows(rows, columns, _GROUND)
    mosaic = np.full((inner.shape[0] + 2 * _BORDER, inner.shape[1] + 2 * _BORDER, 3), _GROUND)
    mosaic[_BORDER:-_BORDER, _BORDER:-_BORDER] = inner
    return draw_blocks([Block(mosaic, row_labels=labels)], _LABEL_INCHES)


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"


def check_images(images: NDArray, columns: int) -> None:
    """Raises `FashionDGMError` unless images are `(N, 1, H, W)` with N > 0 and there is a column."""
    if images.ndim != 4 or images.shape[1] != 1 or len(images) == 0:
        raise FashionDGMError(f"images to draw must have the shape (N, 1, H, W) with N > 0, not {images.shape}")
    if columns < 1:
        raise FashionDGMError(f"a grid needs at least 1 column, not {columns}")


def mosaic_of(images: NDArray, columns: int) -> NDArray[np.float64]:
    """Lays images `(N, 1, H, W)` out row by row: `(height, width, 3)` in `[0, 1]`."""
    check_images(images, columns)
    return stack_rows([images[start : start + columns] for start in range(0, len(images), columns)], columns)


def stack_rows(
    rows: Sequence[NDArray], columns: int, ground: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> NDArray[np.float64]:
    """Lays rows of images on a ground, white or another, `_GAP` pixels apart: `(height, width, 3)` in `[0, 1]`."""
    height, width = rows[0].shape[2:]
    canvas = np.full((len(rows) * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3), ground)
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            top, left = i * (height + _GAP), j * (width + _GAP)
            canvas[top : top + height, left : left + width] = to_rgb_pixels(image[0])
    return canvas


def to_rgb_pixels(image: NDArray) -> NDArray[np.float64]:
    """Takes an image `(H, W)` to colours `(H, W, 3)` in `[0, 1]`; values that are not finite are vermillion."""
    grey = image / 255.0 if image.dtype == np.uint8 else image.astype(np.float64)
    rgb = np.repeat(np.clip(grey, 0.0, 1.0)[:, :, None], 3, axis=2)
    rgb[~np.isfinite(grey)] = to_rgb(VERMILLION)
    return rgb


def draw_blocks(blocks: Sequence[Block], label_inches: float = 1.0) -> Figure:
    """Stacks blocks at a whole number of figure pixels an image pixel, so that every image pixel has the same size."""
    label_px = int(label_inches * DPI) if any(block.row_labels for block in blocks) else 0
    heading_px = int(0.3 * DPI)
    mosaic_width = max(block.mosaic.shape[1] for block in blocks)
    scale = min(_LARGEST_SCALE, max(1, int((WIDTH * DPI - label_px) // mosaic_width)))
    heights = [block.mosaic.shape[0] * scale + (heading_px if block.heading else 0) for block in blocks]
    between_px = int(0.12 * DPI)
    total_width = max(label_px + mosaic_width * scale, 2 * DPI)
    total_height = sum(heights) + between_px * (len(blocks) - 1)

    figure = Figure(figsize=(total_width / DPI, total_height / DPI))
    top = 0
    for block, height in zip(blocks, heights, strict=True):
        rows, width = block.mosaic.shape[0] * scale, block.mosaic.shape[1] * scale
        above, bottom = height - rows, 1 - (top + height) / total_height
        axes = figure.add_axes((label_px / total_width, bottom, width / total_width, rows / total_height))
        axes.imshow(block.mosaic, interpolation="nearest", aspect="auto", vmin=0, vmax=1)
        axes.set_axis_off()
        if block.heading:
            figure.text(0, 1 - (top + 0.42 * above) / total_height, block.heading, weight="bold", va="center")
        for i, label in enumerate(block.row_labels):
            middle = top + above + (i + 0.5) * rows / len(block.row_labels)
            figure.text((label_px - 14) / total_width, 1 - middle / total_height, label, ha="right", va="center")
        top += height + between_px
    return figure


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
    check_not_empty(rows, "rows")
    width = round(WIDTH * DPI)
    cell = width // COLUMNS
    side = max(row.images.shape[2] for row in rows)
    size = (cell - _CAPTION_GAP) // side * side if side <= cell - _CAPTION_GAP else cell - _CAPTION_GAP
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
            style = {"color": GREY, "size": 9} if number else {"color": BLACK, "size": 9.5}
            write(middle, top + size + (number + 0.55) * _LINE, text, ha="center", **style)
