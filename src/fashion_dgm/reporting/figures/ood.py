"""Figures of out-of-distribution scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting.figures.curves import column_of
from fashion_dgm.reporting.style import BLUE, GREY, WIDTH, styled
from fashion_dgm.reporting.wording import count, dataset_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray
    from pandas import DataFrame

__all__ = ["ood_histogram", "score_histogram"]


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
        label = _label(name, len(values[name]), in_distribution)
        weight = "bold" if inside else "normal"
        axes.set_ylabel(label, rotation=0, ha="right", va="center", fontweight=weight, fontsize=9.5)
        text = "in-distribution" if inside else auroc.get(name, "")
        axes.annotate(text, (1.01, 0.5), xycoords="axes fraction", va="center", fontsize=9.5, fontweight=weight)
    rows[0].annotate(
        "AUROC", (1.01, 1.0), (0, 4), xycoords="axes fraction", textcoords="offset points", color=GREY, fontsize=9.5
    )
    rows[-1].set_xlabel(xlabel)
    for side, text in zip(("left", "right"), ends, strict=True):
        rows[-1].annotate(
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


def _draw_density(axes: Axes, values: NDArray, edges: NDArray, color: str) -> None:
    """The histogram of values, as high as the axes."""
    counts = np.histogram(values, edges)[0]
    bars = np.flatnonzero(counts)
    if len(bars) == 0:
        return
    # From the first to the last bar only: outlines at zero would paint the axis.
    start, stop = bars[0], bars[-1] + 1
    heights = counts[start:stop] / counts.max()
    axes.stairs(heights, edges[start : stop + 1], fill=True, color=color, alpha=0.3, zorder=2)
    axes.stairs(
        heights, edges[start : stop + 1], color=color, linewidth=1.2, zorder=3, alpha=0.6 if color == GREY else 1
    )


def _label(name: str, images: int, in_distribution: str) -> str:
    shown = dataset_name(name)
    if name != in_distribution:
        shown = shown.removeprefix(f"{dataset_name(in_distribution)} ")
    return f"{shown}\nn = {count(images)}"
