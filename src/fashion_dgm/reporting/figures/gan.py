"""Figures of adversarial training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from fashion_dgm.reporting.figures.curves import DASHED, Line, column_of, draw_lines, epochs_of, log_if_wide
from fashion_dgm.reporting.figures.images import check_not_empty
from fashion_dgm.reporting.style import BLACK, BLUE, GREEN, GREY, PURPLE, VERMILLION, WIDTH, styled
from fashion_dgm.reporting.wording import model_name, model_order

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

__all__ = ["gan_curves"]


@styled
def gan_curves(histories: Mapping[str, DataFrame]) -> Figure:
    """Draws the training curves of adversarial models side by side, one column a model.

    No y axis is shared: the losses of a GAN are cross-entropies in nats, those of a WGAN are differences of unbounded
    scores, and comparing their heights would mean nothing.

    Arguments:
        histories: `"gan"`, `"wgan"` or another name to a table with the columns `epoch`, `loss_discriminator`,
            `loss_generator`, `score_real`, `score_fake`, `gradient_norm_discriminator`, `gradient_norm_generator`, and
            `probability_real`, `probability_fake` (GAN) or `wasserstein_estimate`, `clipped_share` (WGAN).

    Raises:
        FashionDGMError: if there is no model, or a model has no epoch.
    """
    check_not_empty(histories, "models")
    models = model_order(histories)
    figure = Figure(figsize=(WIDTH, 8.6), layout="constrained")
    grid = figure.subplots(5, len(models), squeeze=False)
    for column, name in enumerate(models):
        _draw_adversarial_column(grid[:, column], histories[name], name)
    figure.supxlabel("epoch", fontsize="medium")
    # One key for all panels: within them it would cover some curve.
    key = [
        Line2D([], [], color=color, linestyle=DASHED if dashed else "-", label=label)
        for label, color, dashed in (
            ("discriminator or critic", BLUE, False),
            ("generator", VERMILLION, True),
            ("real images", GREEN, False),
            ("generated images", PURPLE, True),
        )
    ]
    figure.legend(handles=key, loc="outside upper center", ncols=4, handlelength=1.8, columnspacing=1.4)
    return figure


def _draw_adversarial_column(panels: NDArray, history: DataFrame, name: str) -> None:
    epochs = epochs_of(history)
    critic = "wasserstein_estimate" in history.columns
    losses, scores, verdict, norms, extra = panels

    def draw(panel: Axes, title: str, *columns: str, colors: tuple[str, ...] = (BLACK,)) -> None:
        curves = [Line(column_of(history, column), color) for column, color in zip(columns, colors, strict=True)]
        draw_lines(panel, epochs, [replace(curve, dashed=i > 0) for i, curve in enumerate(curves)])
        panel.set_title(title)

    networks, images = (BLUE, VERMILLION), (GREEN, PURPLE)
    unit = "" if critic else " (nats)"
    draw(losses, f"{model_name(name)}: loss{unit}", "loss_discriminator", "loss_generator", colors=networks)
    judged = "Mean score of the critic" if critic else "Mean logit of the discriminator"
    draw(scores, judged, "score_real", "score_fake", colors=images)
    if critic:
        draw(verdict, "Wasserstein estimate", "wasserstein_estimate")
    else:
        draw(verdict, "Mean probability of being real", "probability_real", "probability_fake", colors=images)
        verdict.axhline(0.5, color=GREY, linewidth=1, linestyle=":")
        verdict.set_ylim(-0.02, 1.02)
    norm_columns = ("gradient_norm_discriminator", "gradient_norm_generator")
    draw(norms, "Norm of the gradient", *norm_columns, colors=networks)
    log_if_wide(norms, *(column_of(history, column) for column in norm_columns))
    if critic:
        draw(extra, "Weights at the clipping bound", "clipped_share")
        extra.set_ylim(-0.02, 1.02)
        extra.yaxis.set_major_formatter(PercentFormatter(1.0))
    else:
        extra.set_axis_off()
        extra.text(
            0.0,
            0.95,
            "The y axes are not shared:\nlosses, scores and gradients of\ndifferent objectives have different\n"
            "units. Compare the shapes of the\ncurves, not their heights.",
            transform=extra.transAxes,
            va="top",
            color=GREY,
            linespacing=1.45,
        )
