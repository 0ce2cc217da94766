"""Figures of the stability study: curves, measures, and what they decide."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from pandas import DataFrame

from fashion_dgm.experiments.stability.measures import COMPARED, RATIOS
from fashion_dgm.findings.criteria import Less
from fashion_dgm.findings.gan import model_order
from fashion_dgm.reporting.figures.axes import (
    DASHED,
    check_not_empty,
    heat_map,
    log_if_wide,
    say_missing,
    set_epoch_axis,
    subplots,
)
from fashion_dgm.reporting.style import BLACK, BLUE, GREEN, GREY, PURPLE, VERMILLION, styled
from fashion_dgm.reporting.wording import model_name, number, significant

__all__ = ["stability_curves", "stability_measures", "stability_verdict"]

_COLORS = {"gan": BLUE, "gan_spectral": PURPLE, "wgan": VERMILLION, "wgan_penalty": GREEN}
_COLUMNS = {
    "degradation": "degradation",
    "distance": "distance\nat the end",
    "failed": "fraction\nfailed",
    "class_entropy": "class\nentropy",
    "distance_oscillation": "oscillation,\ndistance",
    "loss_oscillation": "oscillation,\nloss",
    "gradient_variation": "variation,\ngradient",
}
# Of fractions it is known what is best and worst, even where all runs are alike; by sign as below.
_RANGES = {"class_entropy": (-1.0, 0.0), "failed": (0.0, 1.0)}
_MORE_IS_BETTER = ("class_entropy",)


@styled
def stability_curves(records: Sequence[Mapping[str, Any]], reference: Mapping[str, float]) -> Figure:
    """Draws the distance of every run over training: a row for each model, as assigned on the left, varied on the right.

    Thin lines are runs, the thick one is their geometric mean as far as all are there; a cross ends a run that diverged.

    Arguments:
        records: runs with `model`, `variation`, `seed`, `status`, `scores` (`epoch`, `distance`) and `epochs`.
        reference: the distances of held-out images, `floor`, and of an `untrained` generator.

    Raises:
        FashionDGMError: if there are no runs.
    """
    check_not_empty(records, "runs")
    models = model_order({run["model"] for run in records})
    figure, grid = subplots(0.7 + 1.75 * len(models), len(models), 2, squeeze=False, sharex=True, sharey=True)
    for panels, model in zip(grid, models, strict=True):
        for panel, assigned in zip(panels, (True, False), strict=True):
            own = [run for run in records if run["model"] == model and (run["variation"] == "as_assigned") == assigned]
            _draw_runs(panel, own, model)
            for name in ("floor", "untrained"):
                panel.axhline(reference[name], color=BLACK, linewidth=1, linestyle=DASHED)
        panels[0].set_ylabel(model_name(model).replace(" with ", "\nwith "), weight="bold")
    for panel, variation in zip(grid[0], ("as_assigned", "varied"), strict=True):
        panel.set_title(variation.replace("_", " "), fontsize=10.5)
    distances = [score["distance"] for run in records for score in run["scores"]]
    log_if_wide(grid[0][0], np.array([*distances, reference["floor"]]))
    set_epoch_axis(grid[0][0], np.array([1, max(run["epochs"] for run in records)]))
    figure.supxlabel("epoch", fontsize="medium")
    figure.supylabel("Fréchet classifier distance (dashed: held-out images, untrained generator)", fontsize="medium")
    return figure


def _draw_runs(panel: Axes, runs: Sequence[Mapping[str, Any]], model: str) -> None:
    color = _COLORS.get(model, BLACK)
    curves = [{score["epoch"]: score["distance"] for score in run["scores"]} for run in runs]
    if not any(curves):
        say_missing(panel)
    for run, curve in zip(runs, curves, strict=True):
        panel.plot(list(curve), list(curve.values()), color=color, linewidth=0.9, alpha=0.55)
        if run["status"] == "diverged" and curve:
            panel.plot(*list(curve.items())[-1], "x", color=BLACK, markersize=8, markeredgewidth=2, zorder=4)
    shared = sorted(set.intersection(*(set(curve) for curve in curves))) if curves else []
    if shared:
        means = [math.exp(np.mean([math.log(curve[epoch]) for curve in curves])) for epoch in shared]
        panel.plot(shared, means, color=color, linewidth=2.4)


@styled
def stability_measures(cells: Mapping[str, Any]) -> Figure:
    """Draws mean and standard deviation of each measure, a row for each model and variation; dark is bad.

    Shades go from the best to the worst value of each column, and for fractions from the best to the worst there is.

    Arguments:
        cells: model to variation to measure to `{"mean", "sd", "runs"}`.
    """
    rows = [(model, variation) for model in model_order(cells) for variation in sorted(cells[model])]
    found = [cells[model][variation] for model, variation in rows]
    means = DataFrame([{name: measures[name]["mean"] for name in _COLUMNS} for measures in found], dtype=np.float64)
    texts = np.array([[_cell(measures[name]) for name in _COLUMNS] for measures in found])
    figure, axes = subplots(1.2 + 0.44 * len(rows))
    names = [f"{model_name(model)}, {variation.replace('_', ' ')}" for model, variation in rows]
    heat_map(axes, _shades(means), texts, names, list(_COLUMNS.values()), cmap="Oranges", vmin=0, vmax=1.6)
    for i in range(1, len(rows)):
        if rows[i][0] != rows[i - 1][0]:
            axes.axhline(i - 0.5, color="white", linewidth=4)
    return figure


def _shades(means: DataFrame) -> NDArray:
    signed = means * [-1 if name in _MORE_IS_BETTER else 1 for name in means.columns]
    low, high = signed.min(), signed.max()
    for name, ends in _RANGES.items():
        low[name], high[name] = ends
    width = high - low
    return ((signed - low) / width.where(width > 0, 1.0)).to_numpy()


def _cell(summary: Mapping[str, Any]) -> str:
    if summary["mean"] is None:
        return "\u2013"
    if summary["sd"] is None:
        return significant(summary["mean"], 2)
    # As many decimals as show two digits of the mean and one of the deviation.
    wanted = [1 - _power(summary["mean"]), -_power(summary["sd"]), 0]
    digits = min(max(wanted), 4)
    return f"{number(summary['mean'], digits)}\n± {number(summary['sd'], digits)}"


def _power(value: float) -> int:
    """The power of ten of the first digit; 1 for 0, which needs no decimals."""
    return math.floor(math.log10(abs(value))) if value else 1


@styled
def stability_verdict(comparisons: Sequence[Mapping[str, Any]]) -> Figure:
    """Draws for each measure the differences between two models with their intervals, coloured by who has less.

    Arguments:
        comparisons: as `fashion_dgm.findings.stability.StabilityFindings` has them, measure by measure.
    """
    measures = list(dict.fromkeys(one["measure"] for one in comparisons))
    figure, panels = subplots(0.3 + 1.75 * len(measures), len(measures), squeeze=False)
    for panel, name in zip(panels.flat, measures, strict=True):
        _draw_verdicts(panel, [one for one in comparisons if one["measure"] == name], name in RATIOS)
        panel.set_title(f"{COMPARED[name].capitalize()} ({'ratio' if name in RATIOS else 'difference'})", fontsize=10.5)
    return figure


def _draw_verdicts(panel: Axes, comparisons: Sequence[Mapping[str, Any]], ratio: bool) -> None:
    panel.axvline(1.0 if ratio else 0.0, color=GREY, linewidth=1.2)
    for place, found in enumerate(comparisons):
        if found["difference"] is None:
            continue
        ahead = {Less.FIRST: found["first"], Less.SECOND: found["second"]}.get(found["verdict"])
        color = _COLORS.get(ahead, BLACK) if ahead else GREY
        bounds = found["interval"] or (found["difference"],) * 2
        panel.plot(bounds, [place, place], color=color, linewidth=2.6, solid_capstyle="butt")
        panel.plot([found["difference"]], [place], "o", color=color, markersize=6)
        said = f"less: {model_name(ahead)}" if ahead else "not decided"
        panel.text(1.01, place, said, transform=panel.get_yaxis_transform(), color=color, va="center", fontsize=9.5)
    names = [[model_name(found[model]) for model in ("first", "second")] for found in comparisons]
    panel.set_yticks(range(len(names)), [(" / " if ratio else " \u2212 ").join(pair) for pair in names], fontsize=9)
    panel.set_ylim(len(names) - 0.5, -0.5)
    panel.xaxis.set_major_locator(MaxNLocator(nbins=5))
    panel.margins(x=0.08)
