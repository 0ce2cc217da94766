"""Figures of what a likelihood is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from fashion_dgm.reporting.figures.images import check_not_empty
from fashion_dgm.reporting.style import BLACK, BLUE, CYCLE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION, WIDTH, styled
from fashion_dgm.reporting.wording import dataset_name, number, part_name, part_order

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["likelihood_by_layer", "likelihood_complexity", "likelihood_gap"]

_BEFORE = ("logit", "actnorm", "squeeze")
_TWO_SIDED = 1.96  # standard errors, 95%
_NOTHING = 1e-6  # bits/dim: rounding
_POINTS = 300  # of each set, so that the last one drawn doesn't bury the others
_MARKERS = "osD^vPX"


@styled
def likelihood_gap(gaps: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Draws the gap in bits/dim of each set to the in-distribution one, split in its parts: stacked, with the sum as a dot.

    Arguments:
        gaps: set to what `fashion_dgm.experiments.likelihood.gap.gap_by_part` returns.

    Raises:
        FashionDGMError: if there is no set.
    """
    check_not_empty(gaps, "sets")
    names = sorted(gaps, key=lambda name: gaps[name]["difference"])
    every = part_order(gaps[names[0]]["parts"])
    parts = [part for part in every if any(abs(gaps[n]["parts"][part]["difference"]) > _NOTHING for n in names)]
    figure = Figure(figsize=(WIDTH, 1.5 + 0.42 * len(names)), layout="constrained")
    axes = figure.subplots()
    rows = np.arange(len(names))[::-1]
    ends = {True: np.zeros(len(names)), False: np.zeros(len(names))}
    for part, color in zip(parts, _colors(parts), strict=True):
        values = np.array([gaps[name]["parts"][part]["difference"] for name in names])
        starts = np.where(values > 0, ends[True], ends[False])
        axes.barh(
            rows,
            values,
            left=starts,
            height=0.62,
            color=color,
            edgecolor="white",
            linewidth=0.6,
            label=part_name(part),
            zorder=2,
        )
        ends[True] += np.maximum(values, 0)
        ends[False] += np.minimum(values, 0)
    totals = [gaps[name]["difference"] for name in names]
    bounds = np.array([gaps[name]["difference_interval"] for name in names])
    errors = np.abs(np.stack([bounds[:, 0] - totals, bounds[:, 1] - totals]))
    axes.errorbar(
        totals, rows, xerr=errors, fmt="o", color=BLACK, markersize=6, markeredgecolor="white", zorder=4, label="sum"
    )
    axes.axvline(0, color=BLACK, linewidth=0.9, zorder=3)
    axes.set_yticks(rows, [dataset_name(name) for name in names])
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("bits/dim more than FashionMNIST   (left of 0: likelier)")
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside upper left", ncols=3, columnspacing=1.4, handlelength=1.2
    )
    return figure


@styled
def likelihood_by_layer(layers: Sequence[Mapping[str, Any]], inside: str, outside: str) -> Figure:
    """Draws bits/dim had the flow ended after each coupling, for two sets, and below the gap between them.

    The axis begins after the first ActNorm layer, before which the values are in no scale that a standard normal prior could
    describe; later ActNorm layers and squeezes are left out.

    Arguments:
        layers: rows of `{"label", "kind", "scale", "inside", "outside", "gap", "gap_se"}`, in the order of the flow.
        inside: the in-distribution set.
        outside: the other set.

    Raises:
        FashionDGMError: if there is no layer.
    """
    first = next((i for i, row in enumerate(layers) if row["kind"] not in _BEFORE), len(layers))
    rows = [*layers[max(first - 1, 0) : first], *(row for row in layers[first:] if row["kind"] not in _BEFORE)]
    check_not_empty(dict(enumerate(rows)), "layers")
    x = np.arange(len(rows))
    figure = Figure(figsize=(WIDTH, 5.0), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    for key, name, color, dash in (("inside", inside, BLUE, "-"), ("outside", outside, VERMILLION, (0, (4, 2.5)))):
        y = [row[key] for row in rows]
        upper.plot(x, y, color=color, linestyle=dash, marker="o", label=dataset_name(name))
        for i, side in ((0, "right"), (len(x) - 1, "left")):
            upper.annotate(
                number(y[i]),
                (x[i], y[i]),
                color=color,
                va="center",
                ha=side,
                xytext=(-7 if side == "right" else 7, 0),
                textcoords="offset points",
            )
    upper.set_ylim(bottom=0)
    upper.legend(loc="lower left", ncols=2)
    upper.set_title("Bits/dim, had the flow ended here")
    gap = [row["gap"] for row in rows]
    error = [_TWO_SIDED * row["gap_se"] for row in rows]
    lower.bar(x, gap, color=GREY, width=0.7, yerr=error, ecolor=BLACK, error_kw={"linewidth": 1})
    lower.axhline(0, color=BLACK, linewidth=0.8)
    lower.set_title(f"Gap: {dataset_name(outside)} minus {dataset_name(inside)}")
    labels = ["start", *(row["label"].split()[-1] for row in rows[1:])]
    step = -(-len(rows) // 14)
    lower.set_xticks(x[::step], labels[::step])
    lower.set_xlabel("after which coupling (scale.number)")
    for axes in (upper, lower):
        axes.set_xlim(-1.1, len(x) + 0.1)
        axes.grid(visible=False, axis="x")
        for i in range(2, len(rows)):
            if rows[i]["scale"] != rows[i - 1]["scale"]:
                axes.axvline(i - 0.5, color=GREY, linewidth=0.9, linestyle=":")
    return figure


@styled
def likelihood_complexity(table: DataFrame, inside: str, line: tuple[float, float]) -> Figure:
    """Draws bits/dim over the bits/pixel of a PNG file, a point an image, with the line through the in-distribution ones.

    Arguments:
        table: columns `dataset`, `png_bits`, `bits_per_dim`.
        inside: the in-distribution set.
        line: slope and intercept of the least-squares line through it.
    """
    names = sorted(set(table["dataset"]), key=lambda name: (name != inside, name))
    figure = Figure(figsize=(WIDTH, 4.6 + 0.13 * len(names)), layout="constrained")
    axes = figure.subplots()
    for i, name in enumerate(names):
        rows = table[table["dataset"] == name].iloc[:_POINTS]
        color = GREY if name == inside else CYCLE[(i - 1) % len(CYCLE)]
        axes.scatter(
            rows["png_bits"],
            rows["bits_per_dim"],
            s=9,
            color=color,
            alpha=0.45,
            marker=_MARKERS[(i // len(CYCLE)) % len(_MARKERS)] if i else "o",
            linewidth=0,
            label=dataset_name(name),
            rasterized=True,
        )
    slope, intercept = line
    x = np.array([table["png_bits"].min(), table["png_bits"].max()])
    axes.plot(x, intercept + slope * x, color=BLACK, linewidth=1.3, label=f"line through {dataset_name(inside)}")
    axes.set_xlabel("bits/pixel as a PNG file")
    axes.set_ylabel("bits/dim under the flow")
    low, high = np.quantile(table["bits_per_dim"], [0.001, 0.999])
    axes.set_ylim(low - 0.06 * (high - low), high + 0.06 * (high - low))
    legend = figure.legend(
        *axes.get_legend_handles_labels(),
        loc="outside upper left",
        ncols=3,
        columnspacing=1.2,
        handletextpad=0.4,
        markerscale=2,
    )
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1)
    return figure


def _colors(parts: Sequence[str]) -> list[str]:
    """One family of colours for what log-determinants do, another for the latents."""
    families = {"latents": (VERMILLION, ORANGE, PURPLE), "other": (SKY, BLUE, GREEN, BLACK, GREY)}
    used = dict.fromkeys(families, 0)
    colors = []
    for part in parts:
        family = "latents" if part.startswith("latents") else "other"
        colors.append(families[family][used[family] % len(families[family])])
        used[family] += 1
    return colors
