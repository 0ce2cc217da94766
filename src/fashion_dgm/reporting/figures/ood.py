"""Figures of out-of-distribution scores: densities of one of them, and the AUROC of every one on every set."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray
from pandas import DataFrame

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting.figures.axes import check_not_empty, column_of, heat_map, subplots
from fashion_dgm.reporting.style import BLACK, BLUE, GREY, VERMILLION, WIDTH, styled
from fashion_dgm.reporting.wording import NOT_APPLICABLE, count, dataset_name, model_name

__all__ = ["auroc_matrix", "ood_histogram", "score_histogram"]

_AUROC_COLORS = LinearSegmentedColormap.from_list("auroc", [VERMILLION, "#ffffff", BLUE])


@styled
def ood_histogram(scores: DataFrame, in_distribution: str, auroc: Mapping[str, str]) -> Figure:
    """Draws the densities of bits per dimension: a row a set, likeliest on top, the in-distribution one behind each.

    The axis covers the middle 99.8% of all images, so that a few far ones cannot squeeze the rest into one bar. Rows have
    heights of their own, so that a set of equal images does not flatten the others; areas don't compare.

    Arguments:
        scores: columns `dataset`, `bits_per_dim`, a row an image.
        in_distribution: which data set the flow was trained for.
        auroc: data set to its AUROC as text, with or without an interval.

    Raises:
        FashionDGMError: if no score is finite, or `in_distribution` is not in the table.
    """
    values = _finite_by_set(scores, "bits_per_dim", in_distribution)
    low, high = np.quantile(np.concatenate(list(values.values())), [0.001, 0.999])
    return _rows(values, low, high, "bits per dimension", ("← likelier", "less likely →"), in_distribution, auroc)


@styled
def score_histogram(scores: DataFrame, score: str, in_distribution: str, auroc: Mapping[str, str]) -> Figure:
    """Draws the densities of a score as `ood_histogram` draws those of bits per dimension, the lowest median on top.

    The axis ends at twice the range of the in-distribution set; all that lies beyond is in the last bar.

    Arguments:
        scores: columns `dataset` and the score's, a row an image; high means out of distribution.
        score: its column.
        in_distribution, auroc: as for `ood_histogram`.

    Raises:
        FashionDGMError: as `ood_histogram`.
    """
    values = _finite_by_set(scores, score, in_distribution)
    low, high = np.quantile(values[in_distribution], [0.0, 0.999]) if len(values[in_distribution]) else (0.0, 1.0)
    low, high = min(low, *(float(v.min()) for v in values.values() if len(v))), high + (high - low)
    clipped = {name: v.clip(max=high) for name, v in values.items()}
    ends = ("← in-distribution", "OOD (the last bar holds all beyond) →")
    return _rows(clipped, low, high, "", ends, in_distribution, auroc)


def _finite_by_set(scores: DataFrame, column: str, in_distribution: str) -> dict[str, NDArray]:
    names = sorted(set(scores["dataset"]))
    if in_distribution not in names:
        raise FashionDGMError(f"no scores of the in-distribution set {in_distribution!r}; the table holds {names}")
    values = {name: column_of(scores[scores["dataset"] == name], column) for name in names}
    values = {name: v[np.isfinite(v)] for name, v in values.items()}
    if not any(map(len, values.values())):
        raise FashionDGMError("no score is finite: the flow gives every image an infinite or undefined likelihood")
    return values


def _rows(
    values: Mapping[str, NDArray],
    low: float,
    high: float,
    xlabel: str,
    ends: tuple[str, str],
    in_distribution: str,
    auroc: Mapping[str, str],
) -> Figure:
    """A row a set, in the order of their medians."""
    margin = 0.03 * (high - low) or 0.05
    edges = np.linspace(low - margin, high + margin, 121)
    names = sorted(values, key=lambda name: (float(np.median(values[name])) if len(values[name]) else np.inf, name))
    figure = Figure(figsize=(WIDTH, 0.9 + 0.46 * len(names)), layout=ConstrainedLayoutEngine(h_pad=0.01, hspace=0))
    rows = np.atleast_1d(figure.subplots(len(names), 1, sharex=True))
    for axes, name in zip(rows, names, strict=True):
        inside = name == in_distribution
        if not inside:
            _draw_density(axes, values[in_distribution], edges, GREY)
        _draw_density(axes, values[name], edges, GREY if inside else BLUE)
        axes.set_ylim(0, 1.08)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="x", bottom=axes is rows[-1])
        shown = dataset_name(name).removeprefix("" if inside else f"{dataset_name(in_distribution)} ")
        label, weight = f"{shown}\nn = {count(len(values[name]))}", "bold" if inside else "normal"
        axes.set_ylabel(label, rotation=0, ha="right", va="center", fontweight=weight, fontsize=9.5)
        text = "in-distribution" if inside else auroc.get(name, "")
        axes.annotate(text, (1.01, 0.5), xycoords="axes fraction", va="center", fontsize=9.5, fontweight=weight)
    rows[0].annotate(
        "AUROC", (1.01, 1.0), (0, 4), xycoords="axes fraction", textcoords="offset points", color=GREY, fontsize=9.5
    )
    rows[-1].set_xlabel(xlabel)
    below: dict[str, Any] = {"xytext": (0, -21), "textcoords": "offset points", "va": "top", "fontsize": "medium"}
    for x, (side, text) in enumerate(zip(("left", "right"), ends, strict=True)):
        rows[-1].annotate(text, (x, 0), xycoords="axes fraction", ha=side, color=GREY, **below)
    return figure


def _draw_density(axes: Axes, values: NDArray, edges: NDArray, color: str) -> None:
    """The histogram of values, as high as the axes."""
    counts = np.histogram(values, edges)[0]
    bars = np.flatnonzero(counts)
    if len(bars) == 0:
        return
    # From the first to the last bar only: outlines at zero would paint the axis.
    start, stop = bars[0], bars[-1] + 1
    heights = counts[start:stop] / counts.max()
    edges = edges[start : stop + 1]
    axes.stairs(heights, edges, fill=True, color=color, alpha=0.3, zorder=2)
    axes.stairs(heights, edges, color=color, linewidth=1.2, zorder=3, alpha=0.6 if color == GREY else 1)


@styled
def auroc_matrix(table: DataFrame, labels: Mapping[str, str], primary_score: str) -> Figure:
    """Draws AUROC as a matrix: a row a score, a column a set, a number in each cell.

    Blue cells are detected, white ones are at chance, vermillion ones below it. Rows keep the order of the
    table, single images first, then groups; where there are several models, each has rows of its own.

    Arguments:
        table: columns `model`, `dataset`, `score`, `group_size`, `auroc`.
        labels: what to call each score.
        primary_score: whose label is bold.

    Raises:
        FashionDGMError: if the table is empty.
    """
    check_not_empty(table, "scores")
    sets = list(dict.fromkeys(table["dataset"]))
    models = list(dict.fromkeys(table["model"]))
    wide = table.set_index(["model", "score", "group_size", "dataset"])["auroc"]
    rows = list(dict.fromkeys(zip(table["model"], table["score"], table["group_size"], strict=True)))
    order = sorted(rows, key=lambda row: (models.index(row[0]), row[2]))
    values = np.array([[wide.get((*row, name), np.nan) for name in sets] for row in order], dtype=float)

    figure, axes = subplots(1.5 + 0.27 * len(order))
    texts = [f"{value:.3f}".removeprefix("0") if np.isfinite(value) else NOT_APPLICABLE for value in values.flat]
    names = [_score_name(model, score, size, labels, len(models) > 1) for model, score, size in order]
    columns = [dataset_name(name).removeprefix("FashionMNIST ").removesuffix(" images") for name in sets]
    heat_map(axes, values, np.reshape(texts, values.shape), names, columns, cmap=_AUROC_COLORS, vmin=0, vmax=1)
    for text, value in zip(axes.texts, values.flat, strict=True):
        text.set_color("white" if abs(value - 0.5) > 0.35 else BLACK)
    for tick, (_, score, size) in zip(axes.get_yticklabels(), order, strict=True):
        tick.set_fontweight("bold" if score == primary_score and size == 1 else "normal")
    axes.set_xticks(range(len(sets)), columns, rotation=40, ha="left", rotation_mode="anchor")
    axes.set_xticks(np.arange(len(sets) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(order) + 1) - 0.5, minor=True)
    axes.grid(visible=True, which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    first_group = next((i for i, (_, _, size) in enumerate(order) if size > 1), None)
    if first_group is not None and len(models) == 1:
        axes.axhline(first_group - 0.5, color=GREY, linewidth=1.2)
    return figure


def _score_name(model: str, score: str, size: int, labels: Mapping[str, str], several: bool) -> str:
    name = labels[score] if size == 1 else f"{labels[score]}, groups of {size}"
    return f"{name} ({model_name(model)})" if several else name
