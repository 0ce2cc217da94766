"""Figures of out-of-distribution scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting.figures.curves import column_of
from fashion_dgm.reporting.style import CYCLE, GREY, WIDTH, styled
from fashion_dgm.reporting.wording import count, dataset_name

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["ood_histogram"]


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
    values = {name: column_of(scores[scores["dataset"] == name], "bits_per_dim") for name in names}
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
