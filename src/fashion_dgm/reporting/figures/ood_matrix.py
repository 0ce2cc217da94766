"""Every out-of-distribution score on every set, at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting.style import BLACK, BLUE, GREY, VERMILLION, WIDTH, styled
from fashion_dgm.reporting.wording import NOT_APPLICABLE, dataset_name, model_name

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["auroc_matrix"]

_COLORS = LinearSegmentedColormap.from_list("auroc", [VERMILLION, "#ffffff", BLUE])


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
    if len(table) == 0:
        raise FashionDGMError("there is no score to draw")
    sets = list(dict.fromkeys(table["dataset"]))
    models = list(dict.fromkeys(table["model"]))
    wide = table.set_index(["model", "score", "group_size", "dataset"])["auroc"]
    rows = list(dict.fromkeys(zip(table["model"], table["score"], table["group_size"], strict=True)))
    order = sorted(rows, key=lambda row: (models.index(row[0]), row[2]))
    values = np.array([[wide.get((*row, name), np.nan) for name in sets] for row in order], dtype=float)

    figure = Figure(figsize=(WIDTH, 1.5 + 0.27 * len(order)), layout="constrained")
    axes = figure.subplots()
    axes.grid(visible=False)
    axes.imshow(values, cmap=_COLORS, vmin=0, vmax=1, aspect="auto")
    for i, j in np.ndindex(values.shape):
        strong = np.isfinite(values[i, j]) and abs(values[i, j] - 0.5) > 0.35
        axes.text(
            j, i, _text(float(values[i, j])), ha="center", va="center", fontsize=8, color="white" if strong else BLACK
        )
    axes.set_xticks(range(len(sets)), [_set(name) for name in sets], rotation=40, ha="left", rotation_mode="anchor")
    names = [_name(model, score, size, labels, len(models) > 1) for model, score, size in order]
    axes.set_yticks(range(len(order)), names)
    for tick, (_, score, size) in zip(axes.get_yticklabels(), order, strict=True):
        tick.set_fontweight("bold" if score == primary_score and size == 1 else "normal")
    axes.tick_params(length=0, labelsize=9)
    axes.xaxis.tick_top()
    axes.set_xticks(np.arange(len(sets) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(order) + 1) - 0.5, minor=True)
    axes.grid(visible=True, which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    first_group = next((i for i, (_, _, size) in enumerate(order) if size > 1), None)
    if first_group is not None and len(models) == 1:
        axes.axhline(first_group - 0.5, color=GREY, linewidth=1.2)
    return figure


def _text(value: float) -> str:
    """Three digits, rounded as in every table."""
    return f"{value:.3f}".removeprefix("0") if np.isfinite(value) else NOT_APPLICABLE


def _set(name: str) -> str:
    return dataset_name(name).removeprefix("FashionMNIST ").removesuffix(" images")


def _name(model: str, score: str, size: int, labels: Mapping[str, str], several: bool) -> str:
    name = labels[score] if size == 1 else f"{labels[score]}, groups of {size}"
    return f"{name} ({model_name(model)})" if several else name
