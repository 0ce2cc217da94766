"""Grids of images."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting.style import DPI, VERMILLION, WIDTH, styled

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Block",
    "check_images",
    "check_not_empty",
    "class_examples",
    "draw_blocks",
    "flow_samples",
    "image_grid",
    "mosaic_of",
    "snapshot_strip",
    "stack_rows",
    "to_rgb_pixels",
]

_GAP = 2
_LARGEST_SCALE = 5
_MAX_STRIP_ROWS = 8


@dataclass(frozen=True)
class Block:
    """A mosaic `(height, width, 3)` in `[0, 1]` with labels above and to the left."""

    mosaic: NDArray[np.float64]
    heading: str | None = None
    row_labels: tuple[str, ...] = ()


@styled
def image_grid(images: NDArray, columns: int, title: str | None = None) -> Figure:
    """Draws images row by row.

    Arguments:
        images: uint8 in 0..255 or floats in `[0, 1]`, `(N, 1, H, W)`; floats outside are clipped.
        columns: images in a row; the last row may be shorter.
        title: written above.

    Raises:
        FashionDGMError: if there is no image, the shape is another, or `columns` is less than 1.
    """
    return draw_blocks([Block(mosaic_of(images, columns), heading=title)], columns)


@styled
def class_examples(
    images: NDArray, labels: NDArray, class_names: Sequence[str], per_class: int = 10, title: str | None = None
) -> Figure:
    """Draws the first `per_class` images of each class, a row a class, with its name.

    Arguments:
        images: uint8 or floats in `[0, 1]`, `(N, 1, H, W)`.
        labels: integers in `0..len(class_names) - 1`, `(N,)`. A class without images gets an empty row.
        class_names: one name a class.
        per_class: images in a row.
        title: written above.

    Raises:
        FashionDGMError: if shapes do not fit.
    """
    if len(labels) != len(images):
        raise FashionDGMError(f"{len(images)} images need as many labels, not {len(labels)}")
    check_images(images, per_class)
    rows = [images[np.flatnonzero(np.asarray(labels) == label)[:per_class]] for label in range(len(class_names))]
    return draw_blocks([Block(stack_rows(rows, per_class), title, tuple(class_names))], per_class)


@styled
def flow_samples(samples: Mapping[str, NDArray], columns: int) -> Figure:
    """Draws samples of a flow, one block a temperature, in ascending order.

    Arguments:
        samples: label of the temperature, such as `"0.7"`, to floats in `[0, 1]`, `(N, 1, H, W)`.
        columns: images in a row.

    Raises:
        FashionDGMError: if there is no block, or a block has no image.
    """
    check_not_empty(samples, "temperatures")
    names = sorted(samples, key=_natural)
    headings = [f"temperature {name}" if re.fullmatch(r"[\d.]+", name) else name for name in names]
    return draw_blocks(
        [Block(mosaic_of(samples[name], columns), heading) for name, heading in zip(names, headings, strict=True)],
        columns,
    )


@styled
def snapshot_strip(samples: Mapping[int, NDArray], columns: int = 12) -> Figure:
    """Draws what a generator makes of the same latents as training goes on: a row an epoch, a column a latent.

    Of more than eight epochs the first, the last and six evenly spaced ones between are shown.

    Arguments:
        samples: epoch to floats in `[0, 1]`, `(N, 1, H, W)`.
        columns: how many of the latents to show, at most.

    Raises:
        FashionDGMError: if there is no epoch, or an epoch has no image.
    """
    check_not_empty(samples, "epochs")
    epochs = sorted(samples)
    if len(epochs) > _MAX_STRIP_ROWS:
        chosen = np.linspace(0, len(epochs) - 1, _MAX_STRIP_ROWS).round().astype(int)
        epochs = [epochs[i] for i in chosen]
    columns = min(columns, max(len(samples[epoch]) for epoch in epochs))
    for epoch in epochs:
        check_images(samples[epoch], columns)
    mosaic = stack_rows([samples[epoch][:columns] for epoch in epochs], columns)
    return draw_blocks([Block(mosaic, row_labels=tuple(f"epoch {epoch}" for epoch in epochs))], columns)


def check_not_empty(samples: Mapping, what: str) -> None:
    """Raises `FashionDGMError` if there is nothing to draw."""
    if not samples:
        raise FashionDGMError(f"there are no {what} to draw; pass at least one")


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


def draw_blocks(blocks: Sequence[Block], columns: int, label_inches: float = 1.0) -> Figure:
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
        above = height - rows
        box = (
            label_px / total_width,
            1 - (top + height) / total_height,
            width / total_width,
            rows / total_height,
        )
        axes = figure.add_axes(box)
        axes.imshow(block.mosaic, interpolation="nearest", aspect="auto", vmin=0, vmax=1)
        axes.set_axis_off()
        if block.heading:
            figure.text(0, 1 - (top + 0.42 * above) / total_height, block.heading, weight="bold", va="center")
        for i, label in enumerate(block.row_labels):
            middle = top + above + (i + 0.5) * rows / len(block.row_labels)
            figure.text((label_px - 14) / total_width, 1 - middle / total_height, label, ha="right", va="center")
        top += height + between_px
    return figure


def _natural(name: str) -> tuple[tuple[float, ...], str]:
    return tuple(float(digits) for digits in re.findall(r"\d+(?:\.\d+)?", name)), name
