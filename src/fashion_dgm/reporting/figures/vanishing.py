"""Figures of the gradients that discriminators give to frozen generators."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting.style import BLUE, GREEN, VERMILLION, WIDTH, styled
from fashion_dgm.reporting.wording import loss_name

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

__all__ = ["gradient_norms", "gradient_variance"]

_COLORS = {"saturating": VERMILLION, "non_saturating": BLUE, "wasserstein": GREEN}
_DASHES: dict[str, Any] = {"saturating": (0, (5, 2)), "non_saturating": "-", "wasserstein": (0, (1.5, 1.2))}


@styled
def gradient_norms(table: DataFrame) -> Figure:
    """Draws the norm of the generator's gradient against its discriminator's steps: a panel a generator, a line a loss.

    Thin lines are seeds; thick ones their geometric means, in a band of one standard deviation of the logarithms.

    Arguments:
        table: columns `epoch` (of the generator, 0 untrained), `seed`, `loss`, `step`, `norm`.

    Raises:
        FashionDGMError: if the table is empty.
    """
    figure = _panels(table, [("norm of the gradient", lambda rows: rows["norm"])], height=3.5)
    figure.supxlabel("steps of the discriminator or critic", fontsize="medium")
    return figure


@styled
def gradient_variance(table: DataFrame) -> Figure:
    """Draws the variance of the generator's gradient between batches, and its ratio to the squared mean below.

    Arguments:
        table: columns as for `gradient_norms`, and `signal` and `variance`.

    Raises:
        FashionDGMError: if the table is empty.
    """
    rows: list[tuple[str, Callable[[DataFrame], NDArray]]] = [
        ("variance", lambda rows: rows["variance"]),
        ("variance / squared mean", lambda rows: rows["variance"] / np.maximum(rows["signal"], 1e-45) ** 2),
    ]
    figure = _panels(table, rows, height=5.4)
    figure.supxlabel("steps of the discriminator or critic", fontsize="medium")
    return figure


def _panels(table: DataFrame, values: list[tuple[str, Callable[[DataFrame], NDArray]]], height: float) -> Figure:
    if len(table) == 0:
        raise FashionDGMError("there are no gradients to draw; measure them at one step at least")
    epochs = sorted(set(table["epoch"]))
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    grid = figure.subplots(len(values), len(epochs), squeeze=False, sharex=True, sharey="row")
    for panels, (label, value) in zip(grid, values, strict=True):
        for panel, epoch in zip(panels, epochs, strict=True):
            _draw(panel, table[table["epoch"] == epoch], value)
        panels[0].set_ylabel(label)
        panels[0].yaxis.set_major_locator(LogLocator(numticks=7))
        panels[0].yaxis.set_minor_locator(NullLocator())
    for panel, epoch in zip(grid[0], epochs, strict=True):
        panel.set_title("untrained generator" if epoch == 0 else f"after epoch {epoch}")
    key = [
        Line2D([], [], color=color, linestyle=_DASHES[name], linewidth=2.2, label=loss_name(name))
        for name, color in _COLORS.items()
    ]
    figure.legend(handles=key, loc="outside upper center", ncols=3, handlelength=2.6)
    return figure


def _draw(panel: Axes, table: DataFrame, value: Callable[[DataFrame], NDArray]) -> None:
    for name, color in _COLORS.items():
        rows = table[table["loss"] == name]
        if len(rows) == 0:
            continue
        wide = rows.assign(value=np.log10(np.maximum(np.asarray(value(rows), dtype=np.float64), 1e-90)))
        wide = wide.pivot_table(index="step", columns="seed", values="value")
        # The first step stands at 1, so that step 0, for which a logarithm has no place, can stand before it.
        steps, logs = wide.index.to_numpy(dtype=np.float64), wide.to_numpy()
        panel.plot(steps, 10**logs, color=color, linewidth=0.7, alpha=0.45)
        mean = logs.mean(axis=1)
        if logs.shape[1] > 1:
            spread = logs.std(axis=1, ddof=1)
            panel.fill_between(
                steps, 10 ** (mean - spread), 10 ** (mean + spread), color=color, alpha=0.15, linewidth=0
            )
        panel.plot(steps, 10**mean, color=color, linewidth=2.2, linestyle=_DASHES[name])
    panel.set_yscale("log")
    panel.set_xscale("symlog", linthresh=1, linscale=0.4)
    last = float(table["step"].max())
    panel.set_xlim(-0.15, last * 1.15)
    panel.set_xticks([0, *(10**d for d in range(int(np.log10(last)) + 1))])
    panel.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))
    panel.xaxis.set_minor_locator(NullLocator())
