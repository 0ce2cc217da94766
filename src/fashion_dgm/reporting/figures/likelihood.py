"""Figures of what a likelihood is made of: its terms, layers and neighbours, and images that were changed."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from pandas import DataFrame

from fashion_dgm.experiments.likelihood.trace import Trace
from fashion_dgm.findings.likelihood import BEFORE_COUPLINGS
from fashion_dgm.reporting.figures.axes import DASHED, check_not_empty, subplots, thinned
from fashion_dgm.reporting.figures.images import COLUMNS, CaptionedRow, captioned_rows
from fashion_dgm.reporting.style import BLACK, BLUE, CYCLE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION, styled
from fashion_dgm.reporting.wording import dataset_name, number, part_name, part_order

__all__ = [
    "layer_trace",
    "likelihood_by_layer",
    "likelihood_complexity",
    "likelihood_gap",
    "perturbation_curves",
    "perturbation_examples",
]

_TWO_SIDED = 1.96  # standard errors, 95%
_NOTHING = 1e-6  # bits/dim: rounding
_POINTS = 300  # of each set, so that the last one drawn doesn't bury the others
_MARKERS = "osD^vPX"
_PERTURBATIONS = {
    "brightness": "Brightness: pixels times",
    "spread": "Spread: deviation from the mean image times",
    "blur": "Blur: standard deviation in pixels",
}


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
    figure, axes = subplots(1.5 + 0.42 * len(names))
    rows = np.arange(len(names))[::-1]
    ends = {True: np.zeros(len(names)), False: np.zeros(len(names))}
    for part, color in zip(parts, _colors(parts), strict=True):
        values = np.array([gaps[name]["parts"][part]["difference"] for name in names])
        starts = np.where(values > 0, ends[True], ends[False])
        style: dict[str, Any] = {"color": color, "edgecolor": "white", "linewidth": 0.6, "zorder": 2}
        axes.barh(rows, values, left=starts, height=0.62, label=part_name(part), **style)
        ends[True] += np.maximum(values, 0)
        ends[False] += np.minimum(values, 0)
    totals = [gaps[name]["difference"] for name in names]
    bounds = np.array([gaps[name]["difference_interval"] for name in names])
    style = {"fmt": "o", "color": BLACK, "markersize": 6, "markeredgecolor": "white", "zorder": 4}
    axes.errorbar(totals, rows, xerr=np.abs(bounds.T - totals), label="sum", **style)
    axes.axvline(0, color=BLACK, linewidth=0.9, zorder=3)
    axes.set_yticks(rows, [dataset_name(name) for name in names])
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("bits/dim more than FashionMNIST   (left of 0: likelier)")
    figure.legend(loc="outside upper left", ncols=3, columnspacing=1.4, handlelength=1.2)
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
    first = next((i for i, row in enumerate(layers) if row["kind"] not in BEFORE_COUPLINGS), len(layers))
    rows = [*layers[max(first - 1, 0) : first], *(row for row in layers[first:] if row["kind"] not in BEFORE_COUPLINGS)]
    check_not_empty(rows, "layers")
    x = np.arange(len(rows))
    figure, (upper, lower) = subplots(5.0, 2, sharex=True, height_ratios=[3, 2])
    for key, name, color, dash in (("inside", inside, BLUE, "-"), ("outside", outside, VERMILLION, DASHED)):
        y = [row[key] for row in rows]
        upper.plot(x, y, color=color, linestyle=dash, marker="o", label=dataset_name(name))
        for i, side, away in ((0, "right", -7), (len(x) - 1, "left", 7)):
            place: dict[str, Any] = {"xytext": (away, 0), "textcoords": "offset points", "va": "center", "ha": side}
            upper.annotate(number(y[i]), (x[i], y[i]), color=color, **place)
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
    figure, axes = subplots(4.6 + 0.13 * len(names))
    for i, name in enumerate(names):
        rows = table[table["dataset"] == name].iloc[:_POINTS]
        color = GREY if name == inside else CYCLE[(i - 1) % len(CYCLE)]
        look: dict[str, Any] = {"color": color, "marker": _MARKERS[i // len(CYCLE) % len(_MARKERS)], "alpha": 0.45}
        axes.scatter(rows["png_bits"], rows["bits_per_dim"], s=9, linewidth=0, label=dataset_name(name), **look)
    slope, intercept = line
    x = np.array([table["png_bits"].min(), table["png_bits"].max()])
    axes.plot(x, intercept + slope * x, color=BLACK, linewidth=1.3, label=f"line through {dataset_name(inside)}")
    axes.set_xlabel("bits/pixel as a PNG file")
    axes.set_ylabel("bits/dim under the flow")
    low, high = np.quantile(table["bits_per_dim"], [0.001, 0.999])
    axes.set_ylim(low - 0.06 * (high - low), high + 0.06 * (high - low))
    legend = figure.legend(loc="outside upper left", ncols=3, columnspacing=1.2, handletextpad=0.4, markerscale=2)
    for handle in filter(None, legend.legend_handles):
        handle.set_alpha(1)
    return figure


def _colors(parts: Sequence[str]) -> list[str]:
    """One family of colours for what log-determinants do, another for the latents."""
    latents, others = itertools.cycle((VERMILLION, ORANGE, PURPLE)), itertools.cycle((SKY, BLUE, GREEN, BLACK, GREY))
    return [next(latents if part.startswith("latents") else others) for part in parts]


def perturbation_examples(examples: Sequence[tuple[str, float, NDArray[np.uint8], float]]) -> Figure:
    """Draws an image under each perturbation, with its bits/dim.

    Arguments:
        examples: perturbation, level, image `(1, H, W)` and bits/dim; `none` is left out.
    """
    rows = []
    for name, title in _PERTURBATIONS.items():
        shown = [example for example in examples if example[0] == name][:COLUMNS]
        if shown:
            images = np.stack([image for _, _, image, _ in shown])
            above = tuple(f"{level:g}" for _, level, _, _ in shown)
            rows.append(CaptionedRow(images, title, above, (tuple(number(bits) for *_, bits in shown),)))
    return captioned_rows(rows)


@styled
def perturbation_curves(perturbations: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Draws the mean change in bits/dim over the level of each perturbation, and below the AUROC against unchanged images.

    Arguments:
        perturbations: name to rows of `{"level", "difference", "difference_interval", "auroc", "auroc_interval",
        "changed"}`.
    """
    names = [name for name in _PERTURBATIONS if perturbations.get(name)]
    figure, grid = subplots(4.6, 2, len(names), sharex="col", sharey="row", squeeze=False)
    for column, name in zip(grid.T, names, strict=True):
        rows = perturbations[name]
        levels = [row["level"] for row in rows]
        for axes, key, color in zip(column, ("difference", "auroc"), (BLUE, VERMILLION), strict=True):
            low, high = zip(*(row[f"{key}_interval"] for row in rows), strict=True)
            axes.axhline(0 if key == "difference" else 0.5, color=GREY, linewidth=0.9)
            axes.fill_between(levels, low, high, color=color, alpha=0.25, linewidth=0)
            axes.plot(levels, [row[key] for row in rows], color=color, marker="o")
            for row in rows:
                if not row["changed"]:
                    axes.axvline(row["level"], color=GREY, linewidth=0.9, linestyle=":")
        column[0].set_title(name.capitalize())
        column[1].set_xlabel("pixels" if name == "blur" else "factor")
        column[1].set_ylim(-0.03, 1.03)
    grid[0, 0].set_ylabel("change in bits/dim")
    grid[1, 0].set_ylabel("AUROC, changed\nagainst unchanged")
    return figure


def layer_trace(traces: Mapping[str, tuple[NDArray[np.uint8], Trace]]) -> Figure:
    """Draws an image of each set after the logit and after each coupling, two rows an image at most.

    Each picture is stretched from its own 1% to its 99% quantile, black to white.

    Arguments:
        traces: name of the set to a pixel image `(1, 1, H, W)` and its trace.
    """
    rows = []
    for name, (image, traced) in traces.items():
        numbers: dict[int, int] = {}
        steps = [("image", image[0] / 255.0)]
        for layer in traced.layers:
            if layer.kind == "logit":
                steps.append(("logit", _stretched(layer.picture[0].numpy())))
            elif layer.kind not in ("actnorm", "squeeze"):
                numbers[layer.scale] = numbers.get(layer.scale, 0) + 1
                label = f"{layer.scale}.{numbers[layer.scale]}"
                steps.append((label, _stretched(layer.picture[0].numpy())))
        steps = thinned(steps, 2 * COLUMNS)
        half = -(-len(steps) // 2) if len(steps) > COLUMNS else len(steps)
        for start in range(0, len(steps), half):
            chosen = steps[start : start + half]
            images = np.stack([picture for _, picture in chosen])
            heading = f"{name}, after each coupling (scale.number)" if start == 0 else ""
            rows.append(CaptionedRow(images, heading, tuple(label for label, _ in chosen)))
    return captioned_rows(rows)


def _stretched(picture: NDArray) -> NDArray[np.float64]:
    low, high = np.quantile(picture, [0.01, 0.99])
    return np.clip((picture - low) / max(float(high - low), 1e-12), 0, 1)
