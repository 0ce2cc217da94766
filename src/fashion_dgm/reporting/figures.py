"""The figures of the report: pure functions of arrays and tables that return matplotlib figures.

None of them touches pyplot, so none leaves a figure open or needs a display. Values that are not finite are left out of
curves and shown in vermillion in images.

References:
    Okabe and Ito, Color Universal Design (2008): the palette.
    Tufte, The Visual Display of Quantitative Information (1983): labels beside the data, small multiples.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, PercentFormatter

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting.style import (
    BLACK,
    BLUE,
    CYCLE,
    DPI,
    GREEN,
    GREY,
    PURPLE,
    VERMILLION,
    WIDTH,
    styled,
)
from fashion_dgm.reporting.wording import SPACE_NAMES, count, dataset_name, model_name, model_order, number

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

__all__ = [
    "class_examples",
    "fid_curves",
    "flow_curve",
    "flow_samples",
    "gan_curves",
    "image_grid",
    "ood_histogram",
    "snapshot_strip",
]

_GAP = 2
_LARGEST_SCALE = 5
_MAX_STRIP_ROWS = 8
_DASHED = (0, (4, 2.5))


# Images


@dataclass(frozen=True)
class _Block:
    """A mosaic `(height, width, 3)` in `[0, 1]` with what is written above and beside it."""

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
    return _draw_blocks([_Block(_mosaic(images, columns), heading=title)], columns)


@styled
def class_examples(
    images: NDArray, labels: NDArray, class_names: Sequence[str], per_class: int = 10, title: str | None = None
) -> Figure:
    """Draws the first `per_class` images of each class, a row a class, its name beside it.

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
    _check_images(images, per_class)
    rows = [images[np.flatnonzero(np.asarray(labels) == label)[:per_class]] for label in range(len(class_names))]
    return _draw_blocks([_Block(_stack_rows(rows, per_class), title, tuple(class_names))], per_class)


@styled
def flow_samples(samples: Mapping[str, NDArray], columns: int) -> Figure:
    """Draws samples of a flow, one block a temperature, in ascending order.

    Arguments:
        samples: label of the temperature, such as `"0.7"`, to floats in `[0, 1]`, `(N, 1, H, W)`.
        columns: images in a row.

    Raises:
        FashionDGMError: if there is no block, or a block has no image.
    """
    _check_not_empty(samples, "temperatures")
    names = sorted(samples, key=_natural)
    headings = [f"temperature {name}" if re.fullmatch(r"[\d.]+", name) else name for name in names]
    return _draw_blocks(
        [_Block(_mosaic(samples[name], columns), heading) for name, heading in zip(names, headings, strict=True)],
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
    _check_not_empty(samples, "epochs")
    epochs = sorted(samples)
    if len(epochs) > _MAX_STRIP_ROWS:
        chosen = np.linspace(0, len(epochs) - 1, _MAX_STRIP_ROWS).round().astype(int)
        epochs = [epochs[i] for i in chosen]
    columns = min(columns, max(len(samples[epoch]) for epoch in epochs))
    for epoch in epochs:
        _check_images(samples[epoch], columns)
    mosaic = _stack_rows([samples[epoch][:columns] for epoch in epochs], columns)
    return _draw_blocks([_Block(mosaic, row_labels=tuple(f"epoch {epoch}" for epoch in epochs))], columns)


def _check_not_empty(samples: Mapping, what: str) -> None:
    if not samples:
        raise FashionDGMError(f"there are no {what} to draw; pass at least one")


def _check_images(images: NDArray, columns: int) -> None:
    if images.ndim != 4 or images.shape[1] != 1 or len(images) == 0:
        raise FashionDGMError(f"images to draw must have the shape (N, 1, H, W) with N > 0, not {images.shape}")
    if columns < 1:
        raise FashionDGMError(f"a grid needs at least 1 column, not {columns}")


def _mosaic(images: NDArray, columns: int) -> NDArray[np.float64]:
    _check_images(images, columns)
    return _stack_rows([images[start : start + columns] for start in range(0, len(images), columns)], columns)


def _stack_rows(rows: Sequence[NDArray], columns: int) -> NDArray[np.float64]:
    """Lays rows of images on white, `_GAP` pixels apart: `(height, width, 3)` in `[0, 1]`."""
    height, width = rows[0].shape[2:]
    canvas = np.ones((len(rows) * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3))
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            top, left = i * (height + _GAP), j * (width + _GAP)
            canvas[top : top + height, left : left + width] = _to_rgb(image[0])
    return canvas


def _to_rgb(image: NDArray) -> NDArray[np.float64]:
    grey = image / 255.0 if image.dtype == np.uint8 else image.astype(np.float64)
    rgb = np.repeat(np.clip(grey, 0.0, 1.0)[:, :, None], 3, axis=2)
    rgb[~np.isfinite(grey)] = to_rgb(VERMILLION)
    return rgb


def _draw_blocks(blocks: Sequence[_Block], columns: int) -> Figure:
    """Stacks blocks at a whole number of figure pixels an image pixel, so that every image pixel has the same size."""
    label_px = int(1.0 * DPI) if any(block.row_labels for block in blocks) else 0
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


# Curves


@dataclass(frozen=True)
class _Line:
    """One curve: values `(E,)` of which some may not be finite."""

    y: NDArray[np.float64]
    color: str
    label: str = ""
    dashed: bool = False


@styled
def flow_curve(history: DataFrame) -> Figure:
    """Draws bits per dimension and the gradient's norm over the epochs of a flow.

    Arguments:
        history: columns `epoch`, `bits_per_dim`, and where recorded `test_bits_per_dim` and `gradient_norm`.

    Raises:
        FashionDGMError: if there is no epoch.
    """
    epochs = _epochs(history)
    figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    _draw_lines(
        upper,
        epochs,
        [
            _Line(_column(history, "bits_per_dim"), BLUE, "training"),
            _Line(_column(history, "test_bits_per_dim"), VERMILLION, "held-out", dashed=True),
        ],
        label_ends=True,
    )
    upper.set_title("Bits per dimension (lower is better)")
    _draw_lines(lower, epochs, [_Line(_column(history, "gradient_norm"), GREY)])
    _log_if_wide(lower, _column(history, "gradient_norm"))
    lower.set_title("Norm of the gradient, before clipping")
    lower.set_xlabel("epoch")
    return figure


@styled
def gan_curves(histories: Mapping[str, DataFrame]) -> Figure:
    """Draws the training curves of adversarial models side by side, one column a model.

    No y axis is shared: the losses of a GAN are cross-entropies in nats, those of a WGAN are differences of unbounded
    scores, and comparing their heights would mean nothing.

    Arguments:
        histories: `"gan"`, `"wgan"` or another name to a table with the columns `epoch`, `loss_discriminator`,
            `loss_generator`, `score_real`, `score_fake`, `gradient_norm_discriminator`, `gradient_norm_generator`, and
            `probability_real`, `probability_fake` (GAN) or `wasserstein_estimate`, `clipped_share` (WGAN).

    Raises:
        FashionDGMError: if there is no model, or a model has no epoch.
    """
    _check_not_empty(histories, "models")
    models = model_order(histories)
    figure = Figure(figsize=(WIDTH, 8.6), layout="constrained")
    grid = figure.subplots(5, len(models), squeeze=False)
    for column, name in enumerate(models):
        _draw_adversarial_column(grid[:, column], histories[name], name)
    figure.supxlabel("epoch", fontsize="medium")
    # One key for all panels: within them it would cover some curve.
    key = [
        Line2D([], [], color=color, linestyle=_DASHED if dashed else "-", label=label)
        for label, color, dashed in (
            ("discriminator or critic", BLUE, False),
            ("generator", VERMILLION, True),
            ("real images", GREEN, False),
            ("generated images", PURPLE, True),
        )
    ]
    figure.legend(handles=key, loc="outside upper center", ncols=4, handlelength=1.8, columnspacing=1.4)
    return figure


def _draw_adversarial_column(panels: NDArray, history: DataFrame, name: str) -> None:
    epochs = _epochs(history)
    critic = "wasserstein_estimate" in history.columns
    losses, scores, verdict, norms, extra = panels

    def draw(panel: Axes, title: str, *columns: str, colors: tuple[str, ...] = (BLACK,)) -> None:
        curves = [_Line(_column(history, column), color) for column, color in zip(columns, colors, strict=True)]
        _draw_lines(panel, epochs, [replace(curve, dashed=i > 0) for i, curve in enumerate(curves)])
        panel.set_title(title)

    networks, images = (BLUE, VERMILLION), (GREEN, PURPLE)
    unit = "" if critic else " (nats)"
    draw(losses, f"{model_name(name)}: loss{unit}", "loss_discriminator", "loss_generator", colors=networks)
    judged = "Mean score of the critic" if critic else "Mean logit of the discriminator"
    draw(scores, judged, "score_real", "score_fake", colors=images)
    if critic:
        draw(verdict, "Wasserstein estimate", "wasserstein_estimate")
    else:
        draw(verdict, "Mean probability of being real", "probability_real", "probability_fake", colors=images)
        verdict.axhline(0.5, color=GREY, linewidth=1, linestyle=":")
        verdict.set_ylim(-0.02, 1.02)
    norm_columns = ("gradient_norm_discriminator", "gradient_norm_generator")
    draw(norms, "Norm of the gradient", *norm_columns, colors=networks)
    _log_if_wide(norms, *(_column(history, column) for column in norm_columns))
    if critic:
        draw(extra, "Weights at the clipping bound", "clipped_share")
        extra.set_ylim(-0.02, 1.02)
        extra.yaxis.set_major_formatter(PercentFormatter(1.0))
    else:
        extra.set_axis_off()
        extra.text(
            0.0,
            0.95,
            "The y axes are not shared:\nlosses, scores and gradients of\ndifferent objectives have different\n"
            "units. Compare the shapes of the\ncurves, not their heights.",
            transform=extra.transAxes,
            va="top",
            color=GREY,
            linespacing=1.45,
        )


@styled
def fid_curves(table: DataFrame, floors: Mapping[str, float]) -> Figure:
    """Draws the Fréchet distance of every snapshot, one panel a feature space, one line a model.

    Arguments:
        table: columns `model`, `epoch`, `feature_space`, `distance`, `samples`.
        floors: feature space to the distance between training and held-out images, which no generator is expected to
            beat; a space without one gets no line.

    Raises:
        FashionDGMError: if the table is empty.
    """
    if len(table) == 0:
        raise FashionDGMError("there are no distances to draw; evaluate at least one snapshot")
    spaces = sorted(set(table["feature_space"]))
    models = model_order(set(table["model"]))
    figure = Figure(figsize=(WIDTH, 0.5 + 2.7 * len(spaces)), layout="constrained")
    panels = figure.subplots(len(spaces), 1, squeeze=False, sharex=True)[:, 0]
    for panel, space in zip(panels, spaces, strict=True):
        _draw_distances(panel, table[table["feature_space"] == space], models, floors.get(space))
        samples = sorted({int(n) for n in table.loc[table["feature_space"] == space, "samples"]})
        sizes = " and ".join(count(n) for n in samples)
        panel.set_title(f"{SPACE_NAMES.get(space, space)}, N = {sizes} (lower is better)")
    panels[-1].set_xlabel("epoch")
    return figure


def _draw_distances(panel: Axes, table: DataFrame, models: Sequence[str], floor: float | None) -> None:
    ends: list[tuple[float, str, str]] = []
    drawn: list[NDArray[np.float64]] = []
    for i, model in enumerate(models):
        rows = table[table["model"] == model].sort_values("epoch", kind="stable")
        epochs, distances = _column(rows, "epoch"), _column(rows, "distance")
        finite = np.isfinite(distances)
        if not finite.any():
            continue
        color = CYCLE[i % len(CYCLE)]
        epochs, distances = epochs[finite], distances[finite]
        panel.plot(epochs, distances, color=color, **_stroke(len(epochs), dashed=i % 2 == 1))
        best = int(np.argmin(distances))
        panel.plot(
            epochs[best], distances[best], "o", markersize=10, markerfacecolor="none", markeredgecolor=color, zorder=4
        )
        ends.append((float(distances[-1]), f"{model_name(model)}, best {number(distances[best], 1)}", color))
        drawn.append(distances)
    if floor is not None and math.isfinite(floor):
        panel.axhline(floor, color=BLACK, linewidth=1.1, linestyle=_DASHED)
        ends.append((floor, f"floor {number(floor, 2)}", BLACK))
        drawn.append(np.array([floor]))
    _set_epoch_axis(panel, _column(table, "epoch"))
    panel.margins(y=0.2)
    if drawn:
        _log_if_wide(panel, *drawn)
        _label_ends(panel, ends)
    else:
        _say_missing(panel)


def _epochs(history: DataFrame) -> NDArray[np.float64]:
    if len(history) == 0:
        raise FashionDGMError("a history without epochs cannot be drawn; train for at least one epoch")
    return _column(history, "epoch")


def _column(table: DataFrame, name: str) -> NDArray[np.float64]:
    """Returns a column as float64, NaN where the table has none."""
    if name not in table.columns:
        return np.full(len(table), np.nan)
    return table[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _draw_lines(axes: Axes, epochs: NDArray, lines: Sequence[_Line], label_ends: bool = False) -> None:
    ends: list[tuple[float, str, str]] = []
    for line in lines:
        finite = np.isfinite(line.y)
        if not finite.any():
            continue
        # Epochs without a value are bridged: held-out figures may be measured at every tenth epoch only.
        axes.plot(
            epochs[finite],
            line.y[finite],
            color=line.color,
            **_stroke(int(finite.sum()), line.dashed),
        )
        ends.append((float(line.y[finite][-1]), f"{line.label} {number(line.y[finite][-1], 3)}", line.color))
    _set_epoch_axis(axes, epochs)
    axes.margins(y=0.1)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    if not ends:
        _say_missing(axes)
    elif label_ends:
        _label_ends(axes, ends)


def _stroke(points: int, dashed: bool) -> dict[str, Any]:
    return {"linestyle": _DASHED if dashed else "-", "marker": "o" if points <= 20 else ""}


def _say_missing(axes: Axes) -> None:
    axes.text(0.5, 0.5, "not recorded", transform=axes.transAxes, ha="center", va="center", color=GREY)
    axes.set_yticks([])


def _set_epoch_axis(axes: Axes, epochs: NDArray) -> None:
    first, last = float(np.min(epochs)), float(np.max(epochs))
    margin = 0.5 if last - first < 10 else 0.02 * (last - first)
    axes.set_xlim(first - margin, last + margin)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))


def _log_if_wide(axes: Axes, *values: NDArray, ratio: float = 12.0) -> None:
    """Makes the y axis logarithmic where positive values span more than `ratio`."""
    finite = np.concatenate([v[np.isfinite(v)] for v in values])
    if len(finite) == 0 or finite.min() <= 0 or finite.max() / finite.min() < ratio:
        return
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if finite.max() / finite.min() < 300 else (1,)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _label_ends(axes: Axes, ends: Sequence[tuple[float, str, str]], gap: float = 0.085) -> None:
    """Writes labels right of the axes at the height of their values, pushed apart until `gap` of the height lies between.

    Arguments:
        axes: axes whose data are complete; their y limits are fixed by this.
        ends: value, text and colour of each label.
        gap: fraction of the axes' height.
    """
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    scale = axes.yaxis.get_transform()
    bottom, top = scale.transform([low, high])
    ranked = sorted(ends)
    heights = [(float(scale.transform([value])[0]) - bottom) / (top - bottom) for value, _, _ in ranked]
    for i in range(1, len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + gap)
    excess = max(0.0, heights[-1] - 1.0)
    for height, (_, text, color) in zip(heights, ranked, strict=True):
        axes.text(1.015, height - excess, text, transform=axes.transAxes, color=color, va="center", weight="bold")


# Distributions


@styled
def ood_histogram(scores: DataFrame, in_distribution: str, auroc: Mapping[str, str]) -> Figure:
    """Draws the densities of bits per dimension, in-distribution filled, the others over it.

    The axis covers the middle 99.8% of all images, so that a few far ones cannot squeeze the rest into one bar.

    Arguments:
        scores: columns `dataset`, `bits_per_dim`, a row an image.
        in_distribution: which data set the flow was trained for.
        auroc: data set to its AUROC as text, with or without an interval.

    Raises:
        FashionDGMError: if no score is finite, or `in_distribution` is not in the table.
    """
    names = sorted(set(scores["dataset"]), key=lambda name: (name != in_distribution, name))
    if in_distribution not in names:
        raise FashionDGMError(f"no scores of the in-distribution set {in_distribution!r}; the table holds {names}")
    values = {name: _column(scores[scores["dataset"] == name], "bits_per_dim") for name in names}
    values = {name: v[np.isfinite(v)] for name, v in values.items()}
    every = np.concatenate([values[name] for name in names])
    if len(every) == 0:
        raise FashionDGMError("no score is finite: the flow gives every image an infinite or undefined likelihood")
    low, high = np.quantile(every, [0.001, 0.999])
    margin = 0.03 * (high - low) or 0.05
    edges = np.linspace(low - margin, high + margin, 91)

    figure = Figure(figsize=(WIDTH, 3.3 + 0.2 * len(names)), layout="constrained")
    axes = figure.subplots()
    outlines = []
    for i, name in enumerate(names):
        color = GREY if i == 0 else CYCLE[(i - 1) % len(CYCLE)]
        inside = values[name][(values[name] >= edges[0]) & (values[name] <= edges[-1])]
        density = np.histogram(inside, edges)[0] / (max(len(values[name]), 1) * np.diff(edges))
        # From the first to the last bar only: outlines at zero would paint the axis.
        bars = np.flatnonzero(density)
        start, stop = (bars[0], bars[-1] + 1) if len(bars) else (0, 1)
        density, span = density[start:stop], edges[start : stop + 1]
        axes.stairs(density, span, fill=True, color=color, alpha=0.35 if i == 0 else 0.22, zorder=2)
        outlines.append(axes.stairs(density, span, color=color, linewidth=1.6, zorder=3))
    legend = axes.legend(
        outlines,
        [_ood_label(name, len(values[name]), in_distribution, auroc) for name in names],
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        handlelength=1.6,
        borderaxespad=0.2,
        labelspacing=0.35,
    )
    legend.get_texts()[0].set_fontweight("bold")
    axes.set_ylim(bottom=0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_ylabel("density")
    axes.set_xlabel("bits per dimension")
    for side, text in (("left", "← more likely under the flow"), ("right", "less likely →")):
        axes.annotate(
            text,
            (float(side == "right"), 0.0),
            xytext=(0, -21),
            xycoords="axes fraction",
            textcoords="offset points",
            ha=side,
            va="top",
            color=GREY,
            fontsize="medium",
        )
    return figure


def _ood_label(name: str, images: int, in_distribution: str, auroc: Mapping[str, str]) -> str:
    label = f"{dataset_name(name)}, n = {count(images)}"
    if name == in_distribution:
        return f"{label}, in-distribution"
    return f"{label}, AUROC {auroc[name]}" if name in auroc else label
