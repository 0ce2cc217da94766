"""Figures of distances: by epoch, and by feature space."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from pandas import DataFrame

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.findings.gan import model_order
from fashion_dgm.reporting.figures.axes import (
    DASHED,
    column_of,
    log_if_wide,
    say_missing,
    set_epoch_axis,
    stroke_of,
    subplots,
    write_at_ends,
)
from fashion_dgm.reporting.style import BLACK, CYCLE, styled
from fashion_dgm.reporting.wording import SPACE_NAMES, count, model_name, number

__all__ = ["feature_spaces", "fid_curves"]


@styled
def fid_curves(
    table: DataFrame,
    floors: Mapping[str, float],
    external: Mapping[str, Mapping[str, float]] | None = None,
    external_samples: int | None = None,
) -> Figure:
    """Draws the Fréchet distance of every snapshot, one panel a feature space, one line a model.

    Arguments:
        table: columns `model`, `epoch`, `feature_space`, `distance`, `samples`.
        floors: feature space to the distance between held-out and official test images, which no generator is expected to
            beat; a space without one gets no line.
        external: feature space to name to distance, of external samples: dotted lines, as they have no epoch.
        external_samples: N of a space where the table has none.

    Raises:
        FashionDGMError: if there is nothing to draw.
    """
    others = {space: dict(named) for space, named in (external or {}).items() if named}
    if len(table) == 0 and not others and not floors:
        raise FashionDGMError("there are no distances to draw; evaluate at least one snapshot")
    spaces = sorted({*table["feature_space"], *others, *floors})
    models = model_order(set(table["model"]))
    figure, panels = subplots(0.5 + 2.7 * len(spaces), len(spaces), squeeze=False, sharex=True)
    for panel, space in zip(panels.flat, spaces, strict=True):
        rows = table[table["feature_space"] == space]
        _draw_distances(panel, rows, models, floors.get(space), others.get(space, {}))
        samples = sorted({int(n) for n in rows["samples"]} or filter(None, [external_samples]))
        sizes = " and ".join(count(n) for n in samples)
        panel.set_title(f"{SPACE_NAMES.get(space, space)}, N = {sizes} (lower is better)")
    panels[-1, 0].set_xlabel("epoch")
    return figure


@styled
def feature_spaces(distances: Mapping[str, Mapping[str, float]], floors: Mapping[str, float]) -> Figure:
    """Draws how feature spaces rank the same sets of samples: a column for each space, a line for each set.

    Units differ between spaces, so each distance is a fraction of the largest in its space.

    Arguments:
        distances: by name of the set and feature space; every set has all spaces.
        floors: those of held-out images, by space; a space may have none.
    """
    spaces = sorted({space for found in distances.values() for space in found})
    largest = {space: max(found[space] for found in distances.values()) or 1.0 for space in spaces}
    lines: list[tuple[str, Mapping[str, float], str, Any]] = [
        (name, found, CYCLE[i % len(CYCLE)], "-") for i, (name, found) in enumerate(distances.items())
    ]
    known = {space: floors[space] for space in spaces if math.isfinite(floors.get(space, math.nan))}
    if known:
        lines.append(("floor", known, BLACK, DASHED))
    figure, axes = subplots(3.8)
    axes.set_title("Distance as a fraction of the largest in its space (lower is better)")
    starts: list[tuple[float, str, str]] = []
    ends: list[tuple[float, str, str]] = []
    drawn: list[NDArray[np.float64]] = []
    for name, found, color, stroke in lines:
        places = [place for place, space in enumerate(spaces) if space in found]
        fractions = np.array([found[spaces[place]] / largest[spaces[place]] for place in places])
        axes.plot(places, fractions, color=color, marker="o", linestyle=stroke)
        label = name
        for place, fraction in zip(places, fractions, strict=True):
            value = number(found[spaces[place]], 2)
            if place == len(spaces) - 1:
                label = f"{name}: {value}"
            elif place == 0:
                starts.append((float(fraction), value, color))
            else:
                axes.annotate(value, (place, fraction), (8, 9), textcoords="offset points", color=color, va="center")
        ends.append((float(fractions[-1]), label, color))
        drawn.append(fractions)
    axes.set_xticks(range(len(spaces)), [SPACE_NAMES.get(space, space) for space in spaces])
    axes.margins(x=0.05, y=0.15)
    _label(axes, drawn, ends)
    if starts:
        # In the place of numbers on the axis, which are of no unit.
        axes.tick_params(axis="y", which="both", left=False, labelleft=False)
        write_at_ends(axes, starts, left=True)
    return figure


def _draw_distances(
    panel: Axes, table: DataFrame, models: Sequence[str], floor: float | None, others: Mapping[str, float]
) -> None:
    ends: list[tuple[float, str, str]] = []
    drawn: list[NDArray[np.float64]] = []
    for i, model in enumerate(models):
        rows = table[table["model"] == model].sort_values("epoch", kind="stable")
        epochs, distances = column_of(rows, "epoch"), column_of(rows, "distance")
        finite = np.isfinite(distances)
        if not finite.any():
            continue
        color = CYCLE[i % len(CYCLE)]
        epochs, distances = epochs[finite], distances[finite]
        panel.plot(epochs, distances, color=color, **stroke_of(len(epochs), dashed=i % 2 == 1))
        best = int(np.argmin(distances))
        panel.plot(
            epochs[best], distances[best], "o", markersize=10, markerfacecolor="none", markeredgecolor=color, zorder=4
        )
        ends.append((float(distances[-1]), f"{model_name(model)}, best {number(distances[best], 1)}", color))
        drawn.append(distances)
    for i, (name, distance) in enumerate(others.items(), start=len(models)):
        if math.isfinite(distance):
            panel.axhline(distance, color=CYCLE[i % len(CYCLE)], linewidth=1.4, linestyle=":")
            ends.append((distance, f"{name} {number(distance, 1)}", CYCLE[i % len(CYCLE)]))
            drawn.append(np.array([distance]))
    if floor is not None and math.isfinite(floor):
        panel.axhline(floor, color=BLACK, linewidth=1.1, linestyle=DASHED)
        ends.append((floor, f"floor {number(floor, 2)}", BLACK))
        drawn.append(np.array([floor]))
    if len(table):
        set_epoch_axis(panel, column_of(table, "epoch"))
    else:
        panel.set_xticks([])
    panel.margins(y=0.2)
    _label(panel, drawn, ends)


def _label(axes: Axes, drawn: Sequence[NDArray], ends: Sequence[tuple[float, str, str]]) -> None:
    if drawn:
        log_if_wide(axes, *drawn)
        write_at_ends(axes, ends)
    else:
        say_missing(axes)
