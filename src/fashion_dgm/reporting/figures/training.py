"""Figures of training: flows, and adversarial models."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray
from pandas import DataFrame

from fashion_dgm.findings.criteria import EVEN_ENTROPY
from fashion_dgm.findings.gan import model_order
from fashion_dgm.reporting.figures.axes import (
    DASHED,
    Line,
    check_not_empty,
    column_of,
    draw_lines,
    epochs_of,
    legend_entry,
    log_if_wide,
    set_epoch_axis,
    subplots,
)
from fashion_dgm.reporting.style import BLACK, BLUE, CYCLE, GREEN, GREY, ORANGE, PURPLE, VERMILLION, WIDTH, styled
from fashion_dgm.reporting.wording import model_name

__all__ = ["flow_curve", "gan_curves", "sample_records"]


@styled
def flow_curve(history: DataFrame) -> Figure:
    """Draws bits per dimension and the gradient's norm over the epochs of a flow.

    Arguments:
        history: columns `epoch`, `bits_per_dim`, and where recorded `test_bits_per_dim` and `gradient_norm`.

    Raises:
        FashionDGMError: if there is no epoch.
    """
    epochs = epochs_of(history)
    figure, (upper, lower) = subplots(4.4, 2, sharex=True, height_ratios=[2, 1])
    training = Line(column_of(history, "bits_per_dim"), BLUE, "training")
    held_out = Line(column_of(history, "test_bits_per_dim"), VERMILLION, "held-out", dashed=True)
    draw_lines(upper, epochs, [training, held_out], label_ends=True)
    upper.set_title("Bits per dimension (lower is better)")
    norm = column_of(history, "gradient_norm")
    draw_lines(lower, epochs, [Line(norm, GREY)])
    log_if_wide(lower, norm)
    lower.set(title="Norm of the gradient, before clipping", xlabel="epoch")
    return figure


@styled
def gan_curves(histories: Mapping[str, DataFrame]) -> Figure:
    """Draws the training curves of adversarial models side by side, one column a model.

    No y axis is shared: the losses of a GAN are cross-entropies in nats, those of a WGAN are differences of unbounded
    scores, and comparing their heights would mean nothing.

    Arguments:
        histories: `"gan"`, `"wgan"` or another name to a table with the columns `epoch`, `loss_discriminator`,
            `loss_generator`, `score_real`, `score_fake`, `gradient_norm_discriminator`, `gradient_norm_generator`, and
            `probability_real`, `probability_fake`, `accuracy_real`, `accuracy_fake` (GAN) or `wasserstein_estimate`,
            `wasserstein_estimate_held_out_batch_stats`, `clipped_fraction` or `critic_gradient_norm` (WGAN).

    Raises:
        FashionDGMError: if there is no model, or a model has no epoch.
    """
    check_not_empty(histories, "models")
    models = model_order(histories)
    figure, grid = subplots(8.6, 5, len(models), squeeze=False)
    for column, name in enumerate(models):
        _draw_adversarial_column(grid[:, column], histories[name], name)
    if len(models) > 2:
        for panel in grid.flat:
            panel.set_title(panel.get_title(loc="left"), fontsize="medium")
    note = "y axes are not shared: compare the shapes of curves, not their heights"
    figure.supxlabel(f"epoch ({note})", fontsize="medium")
    # One key for all panels: within them it would cover some curve.
    key = [
        legend_entry("discriminator or critic", BLUE),
        legend_entry("generator", VERMILLION, linestyle=DASHED),
        legend_entry("real images", GREEN),
        legend_entry("generated images", PURPLE, linestyle=DASHED),
        legend_entry("real and generated images", BLACK),
        legend_entry("held-out and generated images", ORANGE, linestyle=DASHED),
    ]
    figure.legend(handles=key, loc="outside upper center", ncols=3, handlelength=1.8, columnspacing=1.4)
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
    quantity = "Mean score" if critic else "Mean logit"
    draw(scores, quantity, "score_real", "score_fake", colors=images)
    if critic:
        # Both with batch statistics; those of running statistics are another function of an image.
        estimates = ("wasserstein_estimate", "wasserstein_estimate_held_out_batch_stats")
        draw(verdict, "Wasserstein estimate", *estimates, colors=(BLACK, ORANGE))
    elif "probability_real" not in history.columns:
        # A score of other objectives is no probability.
        verdict.set_axis_off()
    else:
        draw(verdict, "Mean probability", "probability_real", "probability_fake", colors=images)
        verdict.axhline(0.5, color=GREY, linewidth=1, linestyle=":")
        verdict.set_ylim(-0.02, 1.02)
    norm_columns = ("gradient_norm_discriminator", "gradient_norm_generator")
    draw(norms, "Gradient norm", *norm_columns, colors=networks)
    log_if_wide(norms, *(column_of(history, column) for column in norm_columns))
    if critic and "critic_gradient_norm" in history.columns:
        draw(extra, "Gradient norm of the critic", "critic_gradient_norm")
        extra.axhline(1.0, color=GREY, linewidth=1, linestyle=":")
    elif critic:
        draw(extra, "Weights at the bound", "clipped_fraction")
    else:
        draw(extra, "Images classified correctly", "accuracy_real", "accuracy_fake", colors=images)
    if "critic_gradient_norm" not in history.columns:
        extra.set_ylim(-0.02, 1.02)
        extra.yaxis.set_major_formatter(PercentFormatter(1.0))


@styled
def sample_records(histories: Mapping[str, DataFrame], class_names: Sequence[str]) -> Figure:
    """Draws which classes each model makes at the end, and by epoch how evenly and how near to training images.

    Arguments:
        histories: model to a table with the columns `epoch`, `class_fraction_0` and so on, `class_entropy` and
            `copying_probability`; a model without them is left out of what they show.
        class_names: one name a class.

    Raises:
        FashionDGMError: if there is no model, or a model has no epoch.
    """
    check_not_empty(histories, "models")
    models = model_order(histories)
    figure = Figure(figsize=(WIDTH, 6.4), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(1.15, 1))
    bars, *panels = (figure.add_subplot(cell) for cell in (grid[0, :], grid[1, 0], grid[1, 1]))
    colors = {name: CYCLE[number % len(CYCLE)] for number, name in enumerate(models)}
    _draw_classes(bars, {name: histories[name] for name in models}, class_names, colors)
    columns = {"class_entropy": "Entropy of the classes", "copying_probability": "Probability of lying nearer"}
    for panel, (column, title), level in zip(panels, columns.items(), (EVEN_ENTROPY, 0.5), strict=True):
        epochs = np.concatenate([epochs_of(histories[name]) for name in models])
        for number, name in enumerate(models):
            history = histories[name]
            draw_lines(panel, epochs_of(history), [Line(column_of(history, column), colors[name], dashed=number > 0)])
        set_epoch_axis(panel, epochs)
        panel.set(title=title, xlabel="epoch", ylim=(-0.02, 1.04))
        panel.axhline(level, color=GREY, linewidth=1, linestyle=":")
    return figure


def _draw_classes(
    axes: Axes, histories: Mapping[str, DataFrame], class_names: Sequence[str], colors: Mapping[str, str]
) -> None:
    places, width = np.arange(len(class_names)), 0.8 / len(histories)
    for i, (name, history) in enumerate(histories.items()):
        fractions = [column_of(history, f"class_fraction_{label}")[-1] for label in range(len(class_names))]
        at = places + (i - (len(histories) - 1) / 2) * width
        axes.bar(at, np.nan_to_num(fractions), 0.94 * width, color=colors[name], label=model_name(name))
    axes.axhline(1 / len(class_names), color=GREY, linewidth=1, linestyle=":")
    axes.set_xticks(places, [name.replace(" ", "\n").replace("/", "/\n") for name in class_names], fontsize="small")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.grid(visible=False, axis="x")
    axes.set_title("Classes of the samples, last epoch")
    axes.set_ylim(0, min(1.0, max(0.15, 1.1 * axes.get_ylim()[1])))
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.99), ncols=len(histories), borderaxespad=0.2)
