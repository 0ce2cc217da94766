"""Figures of a run beside published ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fashion_dgm.findings.standing import OurLikelihood, our_detections, our_likelihoods
from fashion_dgm.reporting import published
from fashion_dgm.reporting.style import BLUE, GREY, WIDTH, styled
from fashion_dgm.reporting.wording import dataset_name, is_number, model_name

__all__ = ["published_comparison"]


class _Mark(NamedTuple):
    label: str
    value: float
    low: float
    high: float
    ours: bool


@styled
def published_comparison(
    flow: Mapping[str, Any],
    ood: Mapping[str, Any],
    residual: Mapping[str, Any] | None = None,
    mixture: Mapping[str, Any] | None = None,
) -> Figure:
    """Draws bits/dim and AUROC of a run beside published ones, a panel a measure and set, the best on top.

    Bars are what the source prints after ±, of ours a standard error; for AUROC the interval.

    Arguments:
        flow, residual, mixture: as `fashion_dgm.findings.standing.our_likelihoods` takes them.
        ood: as `our_detections` there takes it.
    """
    panels = [("Bits/dim (lower is better)", _likelihoods(our_likelihoods(flow, residual, mixture)))]
    sets = dict.fromkeys(name for figure in published.AUROC for name in figure.auroc)
    found = {name: _detections(ood, name) for name in sets}
    panels += [
        (f"AUROC against {dataset_name(name)}", marks)
        for name, marks in found.items()
        if any(mark.ours for mark in marks)
    ]
    heights = [len(marks) + 1.6 for _, marks in panels]
    figure = Figure(figsize=(WIDTH, 0.3 * sum(heights)), layout="constrained")
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for i, (axis, (title, marks)) in enumerate(zip(axes, panels, strict=True)):
        _draw(axis, marks)
        axis.set_title(title)
        if i:
            axis.set_xlim(-0.03, 1.03)
            axis.axvline(0.5, color=GREY, linewidth=1, linestyle=":", zorder=1)
    return figure


def _likelihoods(ours: Sequence[OurLikelihood]) -> list[_Mark]:
    marks = [
        _Mark(f"{figure.model}, {figure.parameters:g}\u00a0M", *_around(figure.bits, figure.spread), ours=False)
        for figure in published.BITS_PER_DIM
    ]
    marks += [
        _Mark(f"this run: {own.model}", *_around(own.bits, own.error or 0.0), ours=True)
        for own in ours
        if is_number(own.bits)
    ]
    return sorted(marks, key=lambda mark: mark.value)


def _detections(ood: Mapping[str, Any], name: str) -> list[_Mark]:
    marks = [
        _Mark(figure.score, *_around(float(figure.auroc[name].split()[-1]), 0.0), ours=False)
        for figure in published.AUROC
        if name in figure.auroc
    ]
    for own in our_detections(ood):
        value, bounds = own.auroc.get(name, (None, None))
        if is_number(value):
            low, high = bounds or (value, value)
            marks.append(_Mark(f"this run: {own.label}, {model_name(own.model)}", value, low, high, ours=True))
    return sorted(marks, key=lambda mark: -mark.value)


def _around(value: float, spread: float) -> tuple[float, float, float]:
    return value, value - spread, value + spread


def _draw(axis: Axes, marks: Sequence[_Mark]) -> None:
    for row, mark in enumerate(marks):
        color, shape = (BLUE, "o") if mark.ours else (GREY, "s")
        axis.plot([mark.low, mark.high], [row, row], color=color)
        axis.plot(mark.value, row, shape, color=color, markersize=6.5, zorder=3)
    axis.set_yticks(range(len(marks)), [mark.label for mark in marks])
    for text, mark in zip(axis.get_yticklabels(), marks, strict=True):
        text.set_fontweight("bold" if mark.ours else "normal")
    axis.set_ylim(len(marks) - 0.4, -0.6)
    axis.grid(visible=False, axis="y")
