"""The figure of distances between shifted uniform distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.experiments.gradients.shifted_uniforms import closed_form
from fashion_dgm.reporting.style import BLACK, BLUE, GREY, VERMILLION, WIDTH, styled

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["uniform_curves"]

_TITLES = {
    "kl": "KL divergence (nats)",
    "total_variation": "Total variation",
    "jensen_shannon": "Jensen\u2013Shannon (nats)",
    "wasserstein": "Wasserstein distance",
}


@styled
def uniform_curves(table: DataFrame) -> Figure:
    """Draws four distances between U[0, 1] and its shift: lines exact, points from samples with their spread.

    Arguments:
        table: columns `shift`, `repetition`, `kl`, `total_variation`, `jensen_shannon`, `wasserstein`.

    Raises:
        FashionDGMError: if the table is empty.
    """
    if len(table) == 0:
        raise FashionDGMError("there are no distances to draw; name one shift at least")
    longest = float(max(table["shift"].abs().max(), 1.25))
    shifts = np.linspace(0, longest, 401)
    exact = closed_form(shifts)
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    for panel, (name, title) in zip(figure.subplots(2, 2, sharex=True).flat, _TITLES.items(), strict=True):
        panel.set_title(title)
        panel.axvline(1.0, color=GREY, linewidth=0.9, linestyle=":")
        groups = table.assign(shift=table["shift"].abs()).groupby("shift")[name]
        finite = np.isfinite(groups.mean().to_numpy())
        at, mean, spread = groups.mean().index.to_numpy(), groups.mean().to_numpy(), groups.std().fillna(0).to_numpy()
        if name == "kl":
            panel.set_ylim(-0.08, 1.15)
            panel.set_yticks([0, 1], ["0", "∞"])
            panel.plot([0, longest], [1, 1], color=VERMILLION, zorder=2)
            panel.plot([0], [1], "o", color=VERMILLION, markerfacecolor="white", markersize=6, zorder=3)
            panel.plot([0], [0], "o", color=VERMILLION, markersize=6, zorder=3)
            panel.plot(at[~finite], np.ones((~finite).sum()), "o", color=BLACK, markersize=4, zorder=4)
            panel.plot(at[finite], np.minimum(mean[finite], 1), "o", color=BLACK, markersize=4, zorder=4)
        else:
            panel.plot(shifts, exact[name], color=BLUE if name == "wasserstein" else VERMILLION, zorder=2)
            panel.errorbar(at, mean, spread, fmt="o", color=BLACK, markersize=4, linewidth=1, capsize=2, zorder=3)
            panel.margins(y=0.12)
    figure.supxlabel("shift (dotted: from here on the two no longer overlap)", fontsize="medium")
    return figure
