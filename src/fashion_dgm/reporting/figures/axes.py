"""What figures have in common: lines labelled at their ends, rows of panels, heat maps."""

from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray
from pandas import DataFrame
from scipy.optimize import isotonic_regression

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting.style import GREY, WIDTH
from fashion_dgm.reporting.wording import number

T = TypeVar("T")

DASHED = (0, (4, 2.5))
LABEL_GAP = 0.085  # of the axes' height


@dataclass(frozen=True)
class Line:
    """One curve: values `(E,)` of which some may not be finite."""

    y: NDArray[np.float64]
    color: str
    label: str = ""
    dashed: bool = False


def check_not_empty(items: Sized, what: str) -> None:
    """Raises `FashionDGMError` if there is nothing to draw."""
    if len(items) == 0:
        raise FashionDGMError(f"there are no {what} to draw; pass at least one")


def thinned(items: Sequence[T], most: int) -> list[T]:
    """Returns the items, of more than `most` so many at even distances, the first and the last among them."""
    return [items[i] for i in np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)]


def epochs_of(history: DataFrame) -> NDArray[np.float64]:
    """Returns the epochs of a history `(E,)`; raises `FashionDGMError` if there are none."""
    check_not_empty(history, "epochs")
    return column_of(history, "epoch")


def column_of(table: DataFrame, name: str) -> NDArray[np.float64]:
    """Returns a column as float64, NaN where the table has none."""
    if name not in table.columns:
        return np.full(len(table), np.nan)
    return table[name].to_numpy(dtype=np.float64, na_value=np.nan)


def draw_lines(axes: Axes, epochs: NDArray, lines: Sequence[Line], label_ends: bool = False) -> None:
    """Draws lines over epochs, gaps bridged; their last values stand at their ends if `label_ends`."""
    ends: list[tuple[float, str, str]] = []
    for line in lines:
        finite = np.isfinite(line.y)
        if not finite.any():
            continue
        # Epochs without a value are bridged: held-out figures may be measured at every tenth epoch only.
        axes.plot(epochs[finite], line.y[finite], color=line.color, **stroke_of(int(finite.sum()), line.dashed))
        ends.append((float(line.y[finite][-1]), f"{line.label} {number(line.y[finite][-1], 3)}", line.color))
    set_epoch_axis(axes, epochs)
    axes.margins(y=0.1)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    if not ends:
        say_missing(axes)
    elif label_ends:
        write_at_ends(axes, ends)


def stroke_of(points: int, dashed: bool) -> dict[str, Any]:
    """Returns the style of a line; its points are marked where there are few."""
    return {"linestyle": DASHED if dashed else "-", "marker": "o" if points <= 20 else ""}


def legend_entry(label: str, color: str, **style: Any) -> Line2D:
    """Returns a line that is in no axes, for a legend of all panels."""
    return Line2D([], [], label=label, color=color, **style)


def say_missing(axes: Axes) -> None:
    """Writes into empty axes that nothing was recorded."""
    axes.text(0.5, 0.5, "not recorded", transform=axes.transAxes, ha="center", va="center", color=GREY)
    axes.set_yticks([])


def set_epoch_axis(axes: Axes, epochs: NDArray) -> None:
    """Fits the x axis to epochs `(E,)`, with whole numbers as ticks."""
    first, last = float(np.min(epochs)), float(np.max(epochs))
    margin = 0.5 if last - first < 10 else 0.02 * (last - first)
    axes.set_xlim(first - margin, last + margin)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))


def log_if_wide(axes: Axes, *values: NDArray, ratio: float = 12.0) -> None:
    """Makes the y axis logarithmic where positive values span more than `ratio`."""
    finite = np.concatenate([v[np.isfinite(v)] for v in values])
    if len(finite) == 0 or finite.min() <= 0 or finite.max() / finite.min() < ratio:
        return
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if finite.max() / finite.min() < 300 else (1,)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def write_at_ends(axes: Axes, ends: Sequence[tuple[float, str, str]], left: bool = False) -> None:
    """Writes labels beside the axes at the height of their values, pushed apart where they would overlap.

    Arguments:
        axes: axes whose data are complete; their y limits are fixed by this.
        ends: value, text and colour of each label.
        left: left of the axes instead of right.
    """
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    scale = axes.yaxis.get_transform()
    bottom, top = scale.transform([low, high])
    ranked = sorted(ends)
    wanted = np.array([float(scale.transform([value])[0]) - bottom for value, _, _ in ranked]) / (top - bottom)
    # The nearest heights that are a gap apart: less the gaps, they need only not decrease.
    gaps = LABEL_GAP * np.arange(len(ranked))
    heights = isotonic_regression(wanted - gaps).x.clip(max=1 - gaps[-1]) + gaps
    place, side = (-0.015, "right") if left else (1.015, "left")
    options: dict[str, Any] = {"transform": axes.transAxes, "ha": side, "va": "center", "weight": "bold"}
    for height, (_, text, color) in zip(heights, ranked, strict=True):
        axes.text(place, height, text, color=color, **options)


def subplots(height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, Any]:
    """Returns a figure as wide as the page, its height in inches, and its axes as `Figure.subplots` gives them."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **options)


def panel_grid(height: float, count: int, **options: Any) -> tuple[Figure, list[Axes], int]:
    """Returns `count` panels, from four on in two rows, and how many stand in a row; a spare place stays empty."""
    rows = 1 if count < 4 else 2
    columns = -(-count // rows)
    figure, grid = subplots(height, rows, columns, squeeze=False, **options)
    for spare in grid.flat[count:]:
        spare.set_visible(False)
    return figure, list(grid.flat[:count]), columns


def plain_ticks(axes: Axes, ticks: Sequence[int]) -> None:
    """Writes the ticks of a logarithmic x axis as they are, with none between."""
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()


def heat_map(
    axes: Axes, shades: NDArray, texts: NDArray, rows: Sequence[str], columns: Sequence[str], **image: Any
) -> None:
    """Draws a matrix of shades with a text in each cell, the names of its columns above."""
    axes.imshow(shades, aspect="auto", **image)
    for (i, j), text in np.ndenumerate(texts):
        axes.text(j, i, text, ha="center", va="center", fontsize=8.2, linespacing=1.05)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0, labelsize=8.4, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
