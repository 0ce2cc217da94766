"""Figures of images that were changed, and of images on their traced through a flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from fashion_dgm.reporting.figures.captioned import COLUMNS, CaptionedRow, captioned_rows
from fashion_dgm.reporting.style import BLUE, GREY, VERMILLION, WIDTH, styled
from fashion_dgm.reporting.wording import number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fashion_dgm.experiments.likelihood.trace import Trace

__all__ = ["layer_trace", "perturbation_curves", "perturbation_examples"]

_TITLES = {
    "brightness": "Brightness: pixels times",
    "spread": "Spread: deviation from the mean image times",
    "blur": "Blur: standard deviation in pixels",
}


def perturbation_examples(examples: Sequence[tuple[str, float, NDArray[np.uint8], float]]) -> Figure:
    """Draws an image under each perturbation, with its bits/dim.

    Arguments:
        examples: perturbation, level, image `(1, H, W)` and bits/dim; `none` is left out.
    """
    rows = []
    for name, title in _TITLES.items():
        shown = [example for example in examples if example[0] == name][:COLUMNS]
        if shown:
            images = np.stack([image for _, _, image, _ in shown])
            above = tuple(f"{level:g}" for _, level, _, _ in shown)
            rows.append(CaptionedRow(images, title, above, (tuple(number(bits) for *_, bits in shown),)))
    return captioned_rows(rows)


@styled
def perturbation_curves(perturbations: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Draws the mean change in bits/dim over the level of each perturbation, and below the AUROC against unchanged images.

    Arguments:
        perturbations: name to rows of `{"level", "difference", "difference_interval", "auroc", "auroc_interval",
        "changed"}`.
    """
    names = [name for name in _TITLES if perturbations.get(name)]
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    grid = figure.subplots(2, len(names), sharex="col", sharey="row", squeeze=False)
    for column, name in zip(grid.T, names, strict=True):
        rows = perturbations[name]
        levels = [row["level"] for row in rows]
        neutral = [row["level"] for row in rows if not row["changed"]]
        for axes, key, color in zip(column, ("difference", "auroc"), (BLUE, VERMILLION), strict=True):
            low, high = zip(*(row[f"{key}_interval"] for row in rows), strict=True)
            axes.axhline(0 if key == "difference" else 0.5, color=GREY, linewidth=0.9)
            axes.fill_between(levels, low, high, color=color, alpha=0.25, linewidth=0)
            axes.plot(levels, [row[key] for row in rows], color=color, marker="o")
            for level in neutral:
                axes.axvline(level, color=GREY, linewidth=0.9, linestyle=":")
        column[0].set_title(name.capitalize())
        column[1].set_xlabel("pixels" if name == "blur" else "factor")
        column[1].set_ylim(-0.03, 1.03)
    grid[0, 0].set_ylabel("change in bits/dim")
    grid[1, 0].set_ylabel("AUROC, changed\nagainst unchanged")
    return figure


def layer_trace(traces: Mapping[str, tuple[NDArray[np.uint8], Trace]]) -> Figure:
    """Draws an image of each set after the logit and after each coupling, two rows an image at most.

    Each picture is stretched from its own 1% to its 99% quantile, black to white.

    Arguments:
        traces: name of the set to a pixel image `(1, 1, H, W)` and its trace.
    """
    rows = []
    for name, (image, traced) in traces.items():
        numbers: dict[int, int] = {}
        steps = [("image", image[0] / 255.0)]
        for layer in traced.layers:
            if layer.kind == "logit":
                steps.append(("logit", _stretched(layer.picture[0].numpy())))
            elif layer.kind not in ("actnorm", "squeeze"):
                numbers[layer.scale] = numbers.get(layer.scale, 0) + 1
                label = f"{layer.scale}.{numbers[layer.scale]}"
                steps.append((label, _stretched(layer.picture[0].numpy())))
        if len(steps) > 2 * COLUMNS:
            steps = [steps[i] for i in np.linspace(0, len(steps) - 1, 2 * COLUMNS).round().astype(int)]
        half = -(-len(steps) // 2) if len(steps) > COLUMNS else len(steps)
        for start in range(0, len(steps), half):
            chosen = steps[start : start + half]
            images = np.stack([picture for _, picture in chosen])
            heading = f"{name}, after each coupling (scale.number)" if start == 0 else ""
            rows.append(CaptionedRow(images, heading, tuple(label for label, _ in chosen)))
    return captioned_rows(rows)


def _stretched(picture: NDArray) -> NDArray[np.float64]:
    low, high = np.quantile(picture, [0.01, 0.99])
    return np.clip((picture - low) / max(float(high - low), 1e-12), 0, 1)
