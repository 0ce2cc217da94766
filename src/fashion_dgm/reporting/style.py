"""One look for all figures: the same pixels whatever the user's own matplotlib settings are."""

import functools
import io
from collections.abc import Callable
from typing import Any, ParamSpec

import matplotlib
from matplotlib.figure import Figure

P = ParamSpec("P")

DPI = 200
"""Twice the pixels the report shows, for sharp screens and paper."""

WIDTH = 7.2
"""Inches: 1440 pixels at `DPI`, 720 on the page."""

# Okabe and Ito, Color Universal Design (2008): distinguishable with every common colour blindness. Their yellow is left out,
# it vanishes on white.
BLACK, GREY = "#1a1a1a", "#6b6b6b"
BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY = "#E69F00", "#56B4E9"
CYCLE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)

_STYLE: dict[str, Any] = {
    # The only family that matplotlib brings along. A generic name such as sans-serif is looked up while drawing, when
    # the user's settings rule again.
    "font.family": ["DejaVu Sans"],
    "font.size": 10.5,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10.5,
    "axes.labelcolor": BLACK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.7,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": BLACK,
    "ytick.labelcolor": BLACK,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 10,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "text.color": BLACK,
}
_NOT_STYLE = ("backend", "interactive", "timezone", "toolbar", "webagg", "keymap", "animation", "datapath")
_SETTINGS: dict[Any, Any] = {
    **{name: value for name, value in matplotlib.rcParamsDefault.items() if not name.startswith(_NOT_STYLE)},
    **_STYLE,
}


def styled(plot: Callable[P, Figure]) -> Callable[P, Figure]:
    """Wraps a function that makes a figure so that it draws in the project's style, whatever `rcParams` hold."""

    @functools.wraps(plot)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with matplotlib.rc_context(_SETTINGS):
            figure = plot(*args, **kwargs)
            # Ticks are made on the first drawing and would otherwise take the settings of whoever saves the figure.
            figure.draw_without_rendering()
        return figure

    return wrapper


def to_png(figure: Figure, dpi: int = DPI) -> bytes:
    """Returns `figure` as PNG: the same bytes for the same figure and versions."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(_SETTINGS):
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()
