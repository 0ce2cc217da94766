"""Figures of truncation against Russian roulette: bias, variance, and error at equal cost."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from pandas import DataFrame

from fashion_dgm.reporting.figures.axes import DASHED, legend_entry, log_if_wide, panel_grid, plain_ticks, subplots
from fashion_dgm.reporting.figures.log_det import KIND_NAMES, kinds_of
from fashion_dgm.reporting.style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILLION, styled
from fashion_dgm.reporting.wording import count, number

__all__ = ["roulette_bias", "roulette_budget", "roulette_variance"]

FAMILY_COLORS = {"truncation": BLUE, "geometric": VERMILLION, "poisson": GREEN}
FAMILY_NAMES = {"truncation": "truncation", "geometric": "geometric roulette", "poisson": "Poisson roulette"}
_EXACT_COLORS = (ORANGE, VERMILLION, BLACK, GREEN)


@styled
def roulette_bias(estimators: DataFrame) -> Figure:
    """Draws the mean error of each estimator with its interval, and the true bias, for the two hardest kinds.

    Arguments:
        estimators: columns `kind`, `estimator`, `family`, `bias`, `bias_error`, `bias_theory`, `variance_theory`, in
            nats, of one block a kind.
    """
    kinds = kinds_of(estimators)[-2:]
    names = list(dict.fromkeys(estimators["estimator"]))
    figure, panels = subplots(1.5 + 0.25 * len(names), 1, len(kinds), squeeze=False, sharey=True)
    for axes, kind in zip(panels.flat, kinds, strict=True):
        rows = estimators[estimators["kind"] == kind].set_index("estimator").loc[names]
        place = np.arange(len(names))
        for family, color in FAMILY_COLORS.items():
            own = (rows["family"] == family).to_numpy()
            finite = np.isfinite(rows["variance_theory"].to_numpy())
            for chosen, fill in ((own & finite, color), (own & ~finite, "white")):
                style = {"marker": "o", "markerfacecolor": fill, "color": color, "elinewidth": 1.4, "zorder": 3}
                error = 1.96 * rows["bias_error"][chosen]
                axes.errorbar(rows["bias"][chosen], place[chosen], xerr=error, linestyle="", **style)
        axes.plot(rows["bias_theory"], place, linestyle="", marker="|", markersize=11, color=BLACK, zorder=4)
        axes.axvline(0, color=GREY, linewidth=1)
        _scale(axes, rows)
        axes.set_title(KIND_NAMES.get(kind, kind), fontsize=10.5)
        axes.set_xlabel("mean error (nats)")
        axes.grid(axis="y", visible=False)
    panels[0, 0].set_yticks(np.arange(len(names)), names)
    panels[0, 0].invert_yaxis()
    dot: dict[str, Any] = {"marker": "o", "linestyle": ""}
    handles = [legend_entry(FAMILY_NAMES[family], color, **dot) for family, color in FAMILY_COLORS.items()]
    handles.append(legend_entry("infinite variance", GREY, markerfacecolor="white", **dot))
    handles.append(legend_entry("true bias", BLACK, marker="|", markersize=11, linestyle=""))
    figure.legend(handles=handles, loc="outside upper left", ncols=3, columnspacing=1.5, handletextpad=0.4)
    return figure


@styled
def roulette_variance(costs: DataFrame, estimators: DataFrame, tails: DataFrame, draws: int) -> Figure:
    """Draws the standard deviation of roulette over its cost, and over how rare the longest series may be.

    Arguments:
        costs: columns `kind`, `exact_terms`, `expected_terms`, `variance`, in theory.
        estimators: as for `roulette_bias`, with `expected_terms` and `variance`, measured.
        tails: columns `kind`, `estimator`, `chance`, `variance`.
        draws: of each estimator.
    """
    kind = "contracting" if "contracting" in set(estimators["kind"]) else kinds_of(estimators)[0]
    figure, (left, right) = subplots(4.0, 1, 2)
    own = costs[costs["kind"] == kind]
    exacts = sorted(set(own["exact_terms"]))
    colors = dict(zip(exacts, _EXACT_COLORS * len(exacts), strict=False))
    drawn = estimators[(estimators["kind"] == kind) & (estimators["family"] == "geometric")]
    drawn = drawn[np.isfinite(drawn["variance_theory"])]
    lines: dict[str, Any] = {"linestyle": "-"}
    points: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 6}
    for table, look in ((own.sort_values("expected_terms"), lines), (drawn, points)):
        for exact in exacts:
            rows = table[table["exact_terms"] == exact]
            label = f"{exact} always" if look is lines else None
            left.plot(rows["expected_terms"], np.sqrt(rows["variance"]), color=colors[exact], label=label, **look)
    floor = estimators[(estimators["kind"] == kind) & (estimators["family"] == "truncation")]["variance_theory"].max()
    left.axhline(np.sqrt(floor), color=GREY, linestyle=DASHED, linewidth=1.2)
    below: dict[str, Any] = {"transform": left.get_yaxis_transform(), "ha": "right", "va": "top"}
    left.text(0.98, np.sqrt(floor) * 0.95, "probes alone", color=GREY, **below)
    left.set(xscale="log", yscale="log", ylim=(0.7 * np.sqrt(floor), 2 * np.sqrt(own["variance"].max())))
    plain_ticks(left, (5, 10, 20, 50))
    log_if_wide(left, np.sqrt(own["variance"].to_numpy()), ratio=1)
    left.set(xlabel="expected terms for one probe", ylabel="standard deviation (nats)")
    left.set_title("geometric: what terms buy", fontsize=10.5)
    left.legend(loc="upper right")

    shown = tails[tails["kind"] == kind]
    ends = []
    for name in _with_exact(shown, estimators, kind):
        rows = shown[(shown["estimator"] == name) & (shown["chance"] > 1e-16)]
        family = "poisson" if "Poisson" in name else "geometric"
        finite = estimators[(estimators["kind"] == kind) & (estimators["estimator"] == name)]["variance_theory"]
        style = "-" if np.isfinite(finite.iloc[0]) else DASHED
        right.plot(rows["chance"], np.sqrt(rows["variance"]), color=FAMILY_COLORS[family], linestyle=style)
        # Below its line, where Poisson's climbs above.
        is_below = family == "geometric" and style != "-"
        place = int(0.6 * len(rows)) if is_below else -1
        chance, deviation = max(rows["chance"].iloc[place], 1e-16), float(np.sqrt(rows["variance"].iloc[place]))
        ends.append(deviation)
        look = {"ha": "left", "va": "top"} if is_below else {"ha": "right", "va": "bottom"}
        look |= {"xytext": (8, -6) if is_below else (-4, 4), "color": FAMILY_COLORS[family]}
        label = name.split(" + ")[1]
        right.annotate(label, (chance, deviation), textcoords="offset points", fontsize=9, **look)
    right.axvline(1 / draws, color=GREY, linewidth=1)
    far = f" {count(draws)} draws\n see this far"
    right.text(1 / draws, 0.98, far, transform=right.get_xaxis_transform(), va="top", color=GREY, fontsize=9)
    right.set(xscale="log", yscale="log", xlim=(1, 1e-16), xlabel="terms rarer than this left out")
    right.set_ylim(top=30 * max(ends))
    right.set_ylabel("standard deviation (nats)")
    right.set_title("what the rare long series add", fontsize=10.5)
    return figure


@styled
def roulette_budget(budgets: DataFrame) -> Figure:
    """Draws the error of truncations and roulettes over their cost, a panel a kind of block.

    Arguments:
        budgets: columns `kind`, `estimator`, `family`, `budget`, `error_theory`, `error`, mean squares in nats squared.
    """
    kinds = kinds_of(budgets)
    finite = budgets[np.isfinite(budgets["error_theory"])]
    figure, panels, columns = panel_grid(4.2 if len(kinds) < 4 else 6.4, len(kinds), sharex=True)
    truncations = list(dict.fromkeys(budgets[budgets["family"] == "truncation"]["estimator"]))
    # All of them would hide one another: those with the most terms computed always, where the variance is finite.
    roulettes = list(dict.fromkeys(finite[finite["family"] == "geometric"]["estimator"]))[-4:]
    shades = zip(truncations, _shades(len(truncations)), strict=True)
    drawn: dict[str, tuple[Any, Any]] = {name: (color, "-") for name, color in shades}
    drawn |= zip(roulettes, ((VERMILLION, "-"), (ORANGE, "-"), (VERMILLION, DASHED), (ORANGE, DASHED)), strict=False)
    for axes, kind in zip(panels, kinds, strict=True):
        own = finite[finite["kind"] == kind]
        for name, rows in own.groupby("estimator", sort=False):
            if name not in drawn:
                continue
            color, style = drawn[name]
            axes.plot(rows["budget"], np.sqrt(rows["error_theory"]), color=color, linestyle=style, linewidth=1.5)
            axes.plot(rows["budget"], np.sqrt(rows["error"]), color=color, linestyle="", marker="o", markersize=3)
        axes.set(xscale="log", yscale="log")
        axes.set_title(KIND_NAMES.get(kind, kind), fontsize=10.5)
        plain_ticks(axes, (10, 100, 1_000, 10_000))
    for axes in panels[-columns:]:
        axes.set_xlabel("vjps for one estimate")
    figure.supylabel("root mean squared error (nats)", fontsize=10.5)
    handles = [legend_entry(name, color, linestyle=style) for name, (color, style) in drawn.items()]
    figure.legend(handles=handles, loc="outside lower left", ncols=4, columnspacing=1.2, fontsize=9)
    return figure


def _with_exact(tails: DataFrame, estimators: DataFrame, kind: str) -> list[str]:
    """The roulettes of the middle number of exact terms, so that no two lines have one label."""
    own = estimators[(estimators["kind"] == kind) & estimators["estimator"].isin(set(tails["estimator"]))]
    exacts = sorted(set(own["exact_terms"]))
    chosen = own[own["exact_terms"] == exacts[(len(exacts) - 1) // 2]]
    return list(dict.fromkeys(chosen["estimator"]))


def _scale(axes: Axes, rows: DataFrame) -> None:
    """Linear, or linear around zero only where errors differ by orders of magnitude."""
    reach = (rows["bias"].abs() + 1.96 * rows["bias_error"]).max()
    if reach > 100 * rows["bias_error"].min():
        axes.set_xscale("symlog", linthresh=1, linscale=1.2)
        power = float(np.floor(np.log10(max(reach, 10))))
        ticks = [-(10**power), -1, 0, 1, 10**power]
        axes.set_xticks(ticks, [number(tick, 0) for tick in ticks])
        axes.minorticks_off()


def _shades(count: int) -> list[tuple[float, float, float, float]]:
    """From light to dark blue: few terms to many."""
    blues = LinearSegmentedColormap.from_list("terms", [(0.72, 0.85, 0.95), (0.0, 0.20, 0.42)])
    return [blues(step) for step in np.linspace(0, 1, max(count, 2))[:count]]
