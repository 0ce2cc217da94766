"""Results of a run next to published ones."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fashion_dgm.findings.criteria import is_number
from fashion_dgm.findings.published import PublishedFindings
from fashion_dgm.reporting.figures.axes import subplots
from fashion_dgm.reporting.style import BLUE, GREY, styled
from fashion_dgm.reporting.wording import dataset_name, model_name

__all__ = ["published_comparison"]


class _Mark(NamedTuple):
    label: str
    value: float
    low: float
    high: float
    ours: bool


@styled
def published_comparison(found: PublishedFindings) -> Figure:
    """Draws bits/dim and AUROC of a run next to published ones, a panel a measure and set, the best on top.

    Bars are what the source prints after ±, of ours a standard error; for AUROC the interval.
    """
    panels = [("Bits/dim (lower is better)", _likelihoods(found))]
    detections = {name: _detections(found, name) for name in found.literature.sets}
    panels += [
        (f"AUROC on {dataset_name(name)}", marks)
        for name, marks in detections.items()
        if any(mark.ours for mark in marks)
    ]
    heights = [len(marks) + 1.6 for _, marks in panels]
    figure, axes = subplots(0.3 * sum(heights), len(panels), squeeze=False, height_ratios=heights)
    for i, (axis, (title, marks)) in enumerate(zip(axes.flat, panels, strict=True)):
        _draw(axis, marks)
        axis.set_title(title)
        if i:
            axis.set_xlim(-0.03, 1.03)
            axis.axvline(0.5, color=GREY, linewidth=1, linestyle=":", zorder=1)
    return figure


def _likelihoods(found: PublishedFindings) -> list[_Mark]:
    marks = [
        _Mark(f"{one.model}, {one.parameters:g}\u00a0M", *_around(one.bits, one.spread), ours=False)
        for one in found.literature.likelihood
    ]
    marks += [
        _Mark(f"this run: {model_name(own.architecture)}", *_around(bits.value, bits.error or 0.0), ours=True)
        for own in found.likelihoods
        if is_number((bits := own.bits[own.split]).value)
    ]
    return sorted(marks, key=lambda mark: mark.value)


def _detections(found: PublishedFindings, name: str) -> list[_Mark]:
    marks = [
        _Mark(", ".join(filter(None, [one.score, one.model])), *_around(one.value(name), 0.0), ours=False)
        for one in found.literature.on(name)
    ]
    for own in found.detections:
        entry = own["results"].get(name, {})
        value = entry.get("auroc")
        if is_number(value):
            low, high = entry.get("auroc_interval") or (value, value)
            marks.append(_Mark(f"this run: {own['label']}, {model_name(own['model'])}", value, low, high, ours=True))
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
