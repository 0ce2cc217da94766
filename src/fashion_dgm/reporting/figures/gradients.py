"""Figures of the study of gradients: distances between distributions, frozen generators, GANs on one point."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray
from pandas import DataFrame

from fashion_dgm.config import DiracConfig
from fashion_dgm.experiments.gradients.dirac_gan import DiracGAN, descend, dirac_gans, penalty_limit
from fashion_dgm.experiments.gradients.shifted_uniforms import closed_form
from fashion_dgm.reporting.figures.axes import check_not_empty, legend_entry, subplots
from fashion_dgm.reporting.style import BLACK, BLUE, GREEN, GREY, VERMILLION, styled
from fashion_dgm.reporting.wording import loss_name

__all__ = ["dirac_portraits", "gradient_norms", "gradient_variance", "uniform_curves"]

_DISTANCES = {
    "kl": "KL divergence (nats)",
    "total_variation": "Total variation",
    "jensen_shannon": "Jensen\u2013Shannon (nats)",
    "wasserstein": "Wasserstein distance",
}
_COLORS = {"saturating": VERMILLION, "non_saturating": BLUE, "wasserstein": GREEN}
_DASHES: dict[str, Any] = {"saturating": (0, (5, 2)), "non_saturating": "-", "wasserstein": (0, (1.5, 1.2))}
_GANS = {
    "saturating": "GAN, saturating",
    "non_saturating": "GAN, non-saturating",
    "wgan": "WGAN",
    "clipped": "WGAN, clipped",
    "gradient_penalty": "WGAN-GP",
    "r1": "GAN with R1",
}
_REACH = 1.7
_STREAM_COLOR = "#b9b9b9"


@styled
def uniform_curves(table: DataFrame) -> Figure:
    """Draws four distances between U[0, 1] and its shift: lines exact, points from samples with their spread.

    Arguments:
        table: columns `shift`, `repetition`, `kl`, `total_variation`, `jensen_shannon`, `wasserstein`.

    Raises:
        FashionDGMError: if the table is empty.
    """
    check_not_empty(table, "distances")
    longest = float(max(table["shift"].abs().max(), 1.25))
    shifts = np.linspace(0, longest, 401)
    exact = closed_form(shifts)
    figure, panels = subplots(4.6, 2, 2, sharex=True)
    for panel, (name, title) in zip(panels.flat, _DISTANCES.items(), strict=True):
        panel.set_title(title)
        panel.axvline(1.0, color=GREY, linewidth=0.9, linestyle=":")
        groups = table.groupby(table["shift"].abs())[name]
        at, mean, spread = groups.mean().index.to_numpy(), groups.mean().to_numpy(), groups.std().fillna(0).to_numpy()
        if name == "kl":
            panel.set(ylim=(-0.08, 1.15), yticks=[0, 1], yticklabels=["0", "∞"])
            panel.plot([0, longest], [1, 1], color=VERMILLION, zorder=2)
            for height, fill in ((1, "white"), (0, VERMILLION)):
                panel.plot([0], [height], "o", color=VERMILLION, markerfacecolor=fill, markersize=6, zorder=3)
            panel.plot(at, np.minimum(mean, 1), "o", color=BLACK, markersize=4, zorder=4)
        else:
            panel.plot(shifts, exact[name], color=BLUE if name == "wasserstein" else VERMILLION, zorder=2)
            panel.errorbar(at, mean, spread, fmt="o", color=BLACK, markersize=4, linewidth=1, capsize=2, zorder=3)
            panel.margins(y=0.12)
    figure.supxlabel("shift (dotted: from here on the two no longer overlap)", fontsize="medium")
    return figure


@styled
def gradient_norms(table: DataFrame) -> Figure:
    """Draws the norm of the generator's gradient against its discriminator's steps: a panel a generator, a line a loss.

    Thin lines are seeds; thick ones their geometric means, in a band of one standard deviation of the logarithms.

    Arguments:
        table: columns `epoch` (of the generator, 0 untrained), `seed`, `loss`, `step`, `norm`.

    Raises:
        FashionDGMError: if the table is empty.
    """
    return _panels(table, {"norm of the gradient": lambda rows: rows["norm"]}, height=3.5)


@styled
def gradient_variance(table: DataFrame) -> Figure:
    """Draws the variance of the generator's gradient between batches, and its ratio to the squared mean below.

    Arguments:
        table: columns as for `gradient_norms`, and `signal` and `variance`.

    Raises:
        FashionDGMError: if the table is empty.
    """
    rows: dict[str, Callable[[DataFrame], NDArray]] = {
        "variance": lambda rows: rows["variance"],
        "variance / squared mean": lambda rows: rows["variance"] / np.maximum(rows["signal"], 1e-45) ** 2,
    }
    return _panels(table, rows, height=5.4)


def _panels(table: DataFrame, values: Mapping[str, Callable[[DataFrame], NDArray]], height: float) -> Figure:
    check_not_empty(table, "gradients")
    epochs = sorted(set(table["epoch"]))
    figure, grid = subplots(height, len(values), len(epochs), squeeze=False, sharex=True, sharey="row")
    for panels, (label, value) in zip(grid, values.items(), strict=True):
        for panel, epoch in zip(panels, epochs, strict=True):
            _draw(panel, table[table["epoch"] == epoch], value)
        panels[0].set_ylabel(label)
        panels[0].yaxis.set_major_locator(LogLocator(numticks=7))
        panels[0].yaxis.set_minor_locator(NullLocator())
    for panel, epoch in zip(grid[0], epochs, strict=True):
        panel.set_title("untrained generator" if epoch == 0 else f"after epoch {epoch}")
    looks = {name: {"color": color, "linewidth": 2.2, "linestyle": _DASHES[name]} for name, color in _COLORS.items()}
    key = [legend_entry(loss_name(name), **look) for name, look in looks.items()]
    figure.legend(handles=key, loc="outside upper center", ncols=3, handlelength=2.6)
    figure.supxlabel("steps of the discriminator or critic", fontsize="medium")
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
            low, high = 10 ** (mean - spread), 10 ** (mean + spread)
            panel.fill_between(steps, low, high, color=color, alpha=0.15, linewidth=0)
        panel.plot(steps, 10**mean, color=color, linewidth=2.2, linestyle=_DASHES[name])
    panel.set_yscale("log")
    panel.set_xscale("symlog", linthresh=1, linscale=0.4)
    last = float(table["step"].max())
    panel.set_xlim(-0.15, last * 1.15)
    panel.set_xticks([0, *(10**d for d in range(int(np.log10(last)) + 1))])
    panel.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))
    panel.xaxis.set_minor_locator(NullLocator())


@styled
def dirac_portraits(config: DiracConfig) -> Figure:
    """Draws a phase portrait for each of `dirac_gans`, with paths of simultaneous and of alternating steps.

    Dotted is the bound of the clipped critic; dashed where the penalised generator turns back, in the limit of small
    steps.
    """
    figure, panels = subplots(5.4, 2, 3, sharex=True, sharey=True)
    for panel, (name, model) in zip(panels.flat, dirac_gans(config).items(), strict=True):
        panel.set_title(_GANS[name])
        _portray(panel, model, config)
        if np.isfinite(model.bound):
            for bound in (-model.bound, model.bound):
                panel.axhline(bound, color=GREEN, linewidth=1.2, linestyle=":")
        if name == "gradient_penalty":
            farthest, *_ = penalty_limit(config.gradient_penalty)
            for turn in (-farthest, farthest):
                panel.axvline(turn, color=GREEN, linewidth=1.2, linestyle="--")
    key = [
        legend_entry("alternating steps", BLUE, linewidth=1.6),
        legend_entry("simultaneous steps", VERMILLION, linewidth=1.3),
        legend_entry("solution", BLACK, marker="*", markersize=10, linestyle=""),
    ]
    figure.legend(handles=key, loc="outside upper center", ncols=3)
    figure.supxlabel("generator: the point it makes (the data are at 0)", fontsize="medium")
    figure.supylabel("discriminator: its slope", fontsize="medium")
    return figure


def _portray(panel: Axes, model: DiracGAN, config: DiracConfig) -> None:
    axis = np.linspace(-_REACH, _REACH, 81)
    theta, psi = np.meshgrid(axis, axis)
    across, up = (np.ma.masked_where(np.abs(psi) > model.bound, part) for part in model.field(theta, psi))
    panel.streamplot(axis, axis, across, up, color=_STREAM_COLOR, linewidth=0.7, arrowsize=0.7, density=0.8)
    for simultaneous, color, width in ((True, VERMILLION, 1.0), (False, BLUE, 1.4)):
        path = descend(model, config.start, config.step_size, config.steps, simultaneous=simultaneous)
        panel.plot(*path.T, color=color, linewidth=width, zorder=3)
    panel.plot(*config.start, "o", color=BLACK, markersize=4, zorder=4)
    panel.plot(0, 0, "*", color=BLACK, markersize=10, zorder=4)
    panel.set(xlim=(-_REACH, _REACH), ylim=(-_REACH, _REACH), aspect="equal")
    panel.grid(visible=False)
