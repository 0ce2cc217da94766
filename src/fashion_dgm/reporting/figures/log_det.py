"""Figures of the series and its probes: what truncation lacks, and what probes scatter."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from pandas import DataFrame

from fashion_dgm.reporting.figures.axes import DASHED, check_not_empty, legend_entry, panel_grid, plain_ticks
from fashion_dgm.reporting.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION, WIDTH, styled

__all__ = ["log_det_probes", "log_det_truncation"]

KIND_NAMES = {
    "dense": "dense",
    "convolutional": "convolutional",
    "contracting": "contracting",
    "trained": "trained flow",
}
KIND_COLORS = {"dense": BLUE, "convolutional": GREEN, "contracting": VERMILLION, "trained": PURPLE}
PROBE_COLORS = {"rademacher": BLUE, "gaussian": VERMILLION}
_LIPSCHITZ_COLORS = (SKY, BLUE, ORANGE, VERMILLION, PURPLE, BLACK)
_SMALLEST = 1e-8


def kinds_of(table: DataFrame) -> list[str]:
    """Returns the kinds of block in a table, in the order in which all figures show them."""
    check_not_empty(table, "rows of the study of log-determinants")
    present = set(table["kind"])
    return [kind for kind in KIND_NAMES if kind in present] + sorted(present - set(KIND_NAMES))


@styled
def log_det_truncation(truncation: DataFrame) -> Figure:
    """Draws the error of the truncated series over its terms, a panel a kind of block, bounds dashed.

    Of random blocks, those of the largest dimension are shown, a colour a Lipschitz constant; of a trained flow, all.

    Arguments:
        truncation: columns `block`, `kind`, `dimension`, `lipschitz`, `terms`, `error`, `bound` in nats.
    """
    kinds = kinds_of(truncation)
    # Those of a trained flow last: the colours of the others must not depend on it.
    trained = set(truncation[truncation["kind"] == "trained"]["lipschitz"])
    constants = sorted(set(truncation["lipschitz"]), key=lambda constant: (constant in trained, constant))
    colors = dict(zip(constants, _LIPSCHITZ_COLORS * len(constants), strict=False))
    figure, panels, columns = panel_grid(3.5 if len(kinds) < 4 else 5.6, len(kinds), sharex=True, sharey=True)
    for axes, kind in zip(panels, kinds, strict=True):
        own = truncation[truncation["kind"] == kind]
        dimension = own["dimension"].max()
        own = own[own["dimension"] == dimension]
        thin = 0.9 if kind == "trained" else 1.8
        for _, rows in own.groupby("block", sort=False):
            color = colors[rows["lipschitz"].iloc[0]]
            error = rows["error"].abs().to_numpy()
            # What is left below is rounding.
            axes.plot(rows["terms"], np.where(error > _SMALLEST, error, np.nan), color=color, linewidth=thin)
            axes.plot(rows["terms"], rows["bound"], color=color, linestyle=DASHED, linewidth=1.1)
        axes.set_title(f"{KIND_NAMES.get(kind, kind)}, D = {dimension}", fontsize=10.5)
        top = 10 ** np.ceil(np.log10(truncation["bound"].max()))
        axes.set(xscale="log", yscale="log", ylim=(_SMALLEST, top), xlabel="terms computed")
        plain_ticks(axes, (1, 3, 10, 30))
        axes.label_outer()
    for axes in panels[::columns]:
        axes.set_ylabel("error of log det (nats)")
    handles = [legend_entry(f"Lip = {constant:.2g}", colors[constant]) for constant in constants]
    handles += [legend_entry("error", GREY), legend_entry("bound of theory", GREY, linestyle=DASHED, linewidth=1.1)]
    ncols = 6 if len(handles) < 7 else 4
    figure.legend(handles=handles, loc="outside upper left", ncols=ncols, columnspacing=1.2, handlelength=1.5)
    return figure


@styled
def log_det_probes(probes: DataFrame, blocks: DataFrame) -> Figure:
    """Draws the variance over the number of probes, and the ratio of both kinds' variances, against theory.

    Arguments:
        probes: columns `kind`, `probe`, `probes`, `variance`, `low`, `high`, `theory`, in nats squared.
        blocks: columns `kind`, `ratio`, `ratio_error`, `ratio_theory`, a row a block.
    """
    kinds = kinds_of(probes)
    figure = Figure(figsize=(WIDTH, 6.6), layout="constrained")
    halves = figure.subfigures(2, 1, squeeze=False, height_ratios=[1, 1.15])
    upper, lower = halves[:, 0]
    panels = np.atleast_1d(upper.subplots(1, len(kinds), sharex=True))
    for axes, kind in zip(panels, kinds, strict=True):
        for probe, color in PROBE_COLORS.items():
            rows = probes[(probes["kind"] == kind) & (probes["probe"] == probe)].sort_values("probes")
            axes.plot(rows["probes"], rows["theory"], color=color)
            # An interval below zero has no place on a logarithmic axis.
            below = np.minimum(rows["variance"] - rows["low"], 0.95 * rows["variance"])
            reach = [below, rows["high"] - rows["variance"]]
            look: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 4, "elinewidth": 1}
            axes.errorbar(rows["probes"], rows["variance"], reach, color=color, **look)
        axes.set_xscale("log", base=2)
        axes.set(yscale="log", xlabel="probes")
        plain_ticks(axes, (1, 4, 16, 64))
        axes.set_title(KIND_NAMES.get(kind, kind), fontsize=10.5)
    panels[0].set_ylabel("variance (nats²)")
    handles = [legend_entry(probe.capitalize(), color) for probe, color in PROBE_COLORS.items()]
    handles += [legend_entry("theory", GREY), legend_entry("measured", GREY, marker="o", linestyle="")]
    upper.legend(handles=handles, loc="outside upper left", ncols=4)
    axes = lower.subplots()
    axes.plot([0, 1.08], [0, 1.08], color=GREY, linewidth=1)
    for kind in kinds_of(blocks):
        rows = blocks[blocks["kind"] == kind]
        points = rows["ratio_theory"], rows["ratio"], 1.96 * rows["ratio_error"]
        style = {"color": KIND_COLORS.get(kind, BLACK), "label": KIND_NAMES.get(kind, kind)}
        axes.errorbar(*points, linestyle="", marker="o", elinewidth=1, **style)
    note: dict[str, Any] = {"color": GREY, "arrowprops": {"arrowstyle": "-", "color": GREY, "linewidth": 0.8}}
    equal = "no part on the diagonal:\nthe kind of probe does not matter"
    axes.annotate(equal, (0.99, 0.985), xytext=(0.8, 0.4), ha="center", **note)
    axes.annotate("nearly diagonal:\nRademacher is nearly exact", (0.05, 0.04), xytext=(0.3, 0.02), va="bottom", **note)
    axes.set(xlim=(-0.02, 1.06), ylim=(-0.03, 1.25), xlabel="part of ‖S‖² off the diagonal (theory)")
    axes.set_ylabel("measured variance,\nRademacher / Gaussian")
    axes.legend(loc="upper left")
    return figure
