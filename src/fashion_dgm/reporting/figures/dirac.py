"""The figure of GANs on one point: vector fields and the paths of gradient descent."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fashion_dgm.config import DiracConfig
from fashion_dgm.experiments.gradients.dirac_gan import DiracGAN, descend, dirac_gans, penalty_limit
from fashion_dgm.reporting.style import BLACK, BLUE, GREEN, VERMILLION, WIDTH, styled

__all__ = ["dirac_portraits"]

_TITLES = {
    "saturating": "GAN, saturating",
    "non_saturating": "GAN, non-saturating",
    "wgan": "WGAN",
    "clipped": "WGAN, clipped",
    "gradient_penalty": "WGAN-GP",
    "r1": "GAN with R1",
}
_REACH = 1.7
_STREAMS = "#b9b9b9"


@styled
def dirac_portraits(config: DiracConfig) -> Figure:
    """Draws a phase portrait for each of `dirac_gans`, with paths of simultaneous and of alternating steps.

    Dotted is the bound of the clipped critic; dashed where the penalised generator turns back, in the limit of small
    steps.
    """
    figure = Figure(figsize=(WIDTH, 5.4), layout="constrained")
    panels = figure.subplots(2, 3, sharex=True, sharey=True)
    for panel, (name, model) in zip(panels.flat, dirac_gans(config).items(), strict=True):
        panel.set_title(_TITLES[name])
        _portray(panel, model, config)
        if np.isfinite(model.bound):
            for bound in (-model.bound, model.bound):
                panel.axhline(bound, color=GREEN, linewidth=1.2, linestyle=":")
        if name == "gradient_penalty":
            for farthest in (-penalty_limit(config.gradient_penalty)[0], penalty_limit(config.gradient_penalty)[0]):
                panel.axvline(farthest, color=GREEN, linewidth=1.2, linestyle="--")
    key = [
        Line2D([], [], color=BLUE, linewidth=1.6, label="alternating steps"),
        Line2D([], [], color=VERMILLION, linewidth=1.3, label="simultaneous steps"),
        Line2D([], [], color=BLACK, marker="*", markersize=10, linestyle="", label="solution"),
    ]
    figure.legend(handles=key, loc="outside upper center", ncols=3)
    figure.supxlabel("generator: the point it makes (the data are at 0)", fontsize="medium")
    figure.supylabel("discriminator: its slope", fontsize="medium")
    return figure


def _portray(panel: Axes, model: DiracGAN, config: DiracConfig) -> None:
    axis = np.linspace(-_REACH, _REACH, 81)
    theta, psi = np.meshgrid(axis, axis)
    across, up = model.field(theta, psi)
    outside = np.abs(psi) > model.bound
    across, up = np.ma.masked_where(outside, across), np.ma.masked_where(outside, up)
    panel.streamplot(axis, axis, across, up, color=_STREAMS, linewidth=0.7, arrowsize=0.7, density=0.8)
    for simultaneous, color, width in ((True, VERMILLION, 1.0), (False, BLUE, 1.4)):
        path = descend(model, config.start, config.step_size, config.steps, simultaneous=simultaneous)
        panel.plot(*path.T, color=color, linewidth=width, zorder=3)
    panel.plot(*config.start, "o", color=BLACK, markersize=4, zorder=4)
    panel.plot(0, 0, "*", color=BLACK, markersize=10, zorder=4)
    panel.set_xlim(-_REACH, _REACH)
    panel.set_ylim(-_REACH, _REACH)
    panel.set_aspect("equal")
    panel.grid(visible=False)
