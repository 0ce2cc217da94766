"""Figures of the flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from fashion_dgm.reporting.figures.curves import Line, column_of, draw_lines, epochs_of, log_if_wide
from fashion_dgm.reporting.style import BLUE, GREY, VERMILLION, WIDTH, styled

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["flow_curve"]


@styled
def flow_curve(history: DataFrame) -> Figure:
    """Draws bits per dimension and the gradient's norm over the epochs of a flow.

    Arguments:
        history: columns `epoch`, `bits_per_dim`, and where recorded `test_bits_per_dim` and `gradient_norm`.

    Raises:
        FashionDGMError: if there is no epoch.
    """
    epochs = epochs_of(history)
    figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    draw_lines(
        upper,
        epochs,
        [
            Line(column_of(history, "bits_per_dim"), BLUE, "training"),
            Line(column_of(history, "test_bits_per_dim"), VERMILLION, "held-out", dashed=True),
        ],
        label_ends=True,
    )
    upper.set_title("Bits per dimension (lower is better)")
    draw_lines(lower, epochs, [Line(column_of(history, "gradient_norm"), GREY)])
    log_if_wide(lower, column_of(history, "gradient_norm"))
    lower.set_title("Norm of the gradient, before clipping")
    lower.set_xlabel("epoch")
    return figure
