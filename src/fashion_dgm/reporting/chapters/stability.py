"""The chapter on the stability of adversarial training."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from fashion_dgm.reporting import sources
from fashion_dgm.reporting.chapters.titles import TITLES
from fashion_dgm.reporting.report import Chapter, FigureBlock, NoteBlock, TableBlock, TextBlock
from fashion_dgm.reporting.wording import (
    NOT_APPLICABLE,
    count,
    is_number,
    listing,
    model_name,
    number,
    percent,
    plural,
    significant,
    variation_name,
    variation_order,
)

__all__ = ["stability_chapter", "verdict_sentence"]

_MEASURES = {
    "distance_oscillation": "oscillation of the distance",
    "loss_oscillation": "oscillation of the loss",
    "gradient_variation": "variation of the generator's gradient",
    "sensitivity": "sensitivity to the variations",
    "failed": "share of runs failed",
    "log_distance": "distance at the end",
    "log_mean_distance": "mean distance over training",
}
# The distances say how good a model became, the others how steadily.
_LOGARITHMS = ("log_distance", "log_mean_distance")


def stability_chapter(
    metrics: Mapping[str, Any], curves_png: bytes, measures_png: bytes, verdict_png: bytes
) -> Chapter:
    """Tells which model trains more stably, and by how much, or that this is not decided.

    Arguments:
        metrics: `{"cells": {model: {variation: {measure: {"mean", "sd", "runs"}}}}, "verdicts": {measure: {"gan-wgan":
            {"difference", "interval", "pairs", "left_out", "outcome"}}}, "seeds", "epochs", "images_per_epoch",
            "batch_size", "width", "samples", "floor", "confidence", "baseline", "missing_share", "missing_classes",
            "stability": {"gan-wgan": outcome}, "progress": {model: share}, "least_progress"}`.
        curves_png: the distance of every run over training.
        measures_png: the measures of each model and variation.
        verdict_png: the differences with their intervals.
    """
    cells, verdicts = metrics["cells"], metrics["verdicts"]
    runs = metrics["seeds"] * sum(len(variations) for variations in cells.values())
    steps = metrics["epochs"] * (metrics["images_per_epoch"] // metrics["batch_size"])
    variations = listing([variation_name(name) for name in variation_order(next(iter(cells.values())))])
    return Chapter(
        title=TITLES["stability"],
        anchor="stability",
        intro=(
            f"{listing([model_name(name) for name in cells])} are trained under {plural(metrics['seeds'], 'seed')} and "
            f"{plural(len(next(iter(cells.values()))), 'variation')} ({variations}), {count(runs)} runs in all. Every run "
            f"gives its discriminator or critic {count(steps)} steps ({plural(metrics['epochs'], 'epoch')} of "
            f"{count(metrics['images_per_epoch'])} images, networks of width {metrics['width']}); the generator of a WGAN "
            "takes fewer, as its critic takes several for each. What is found here holds for runs of this size.",
        ),
        blocks=(
            TextBlock(tuple(_answers(metrics)), heading="The answer"),
            FigureBlock(
                verdict_png,
                "Differences between each two models on every measure, with intervals: "
                + " ".join(
                    _in_words(name, pair, found) for name in _MEASURES for pair, found in verdicts[name].items()
                ),
                "What is decided: mean paired differences, or ratios, with intervals. An interval that includes no "
                f"difference decides nothing. All intervals hold together with {_level(metrics)} "
                "confidence.",
            ),
            FigureBlock(
                curves_png,
                "Fréchet classifier distance against epochs, a row for each model, a column for each variation, a line for "
                "each seed.",
                f"The Fréchet classifier distance of every run to {count(metrics['samples'])} held-out images (as many "
                "on either side). Thin: seeds; thick: geometric mean; a cross: where a run diverged; dashed: the distance "
                f"of as many training images, {number(metrics['floor'], 2)}.",
            ),
            FigureBlock(
                measures_png,
                "Mean and standard deviation of the measures of each model and variation, as a heat map.",
                "Mean ± standard deviation over seeds. The darker, the worse within a column. Sensitivity is how far the "
                f"distance at the end is, as a logarithm, from that of the same seed {variation_name(metrics['baseline'])}.",
            ),
            TextBlock(tuple(_failures(cells, metrics)), heading="Runs that failed"),
            TableBlock(
                ("Measure", "Models", "Difference or ratio", "Interval", "Pairs", "Verdict"),
                tuple(_rows(verdicts)),
                "All comparisons. Paired over seeds within each variation, averaged over the variations; ratios for the "
                "distances. Pairs in which a run broke off too early to have a value are left out and counted after +.",
                numeric=(2, 3, 4),
            ),
            NoteBlock("How to read it", tuple(_caveats(metrics))),
        ),
        sources=(
            sources.ARJOVSKY_2017,
            sources.GULRAJANI_2017,
            sources.LUCIC_2018,
            sources.GASSER_1986,
            sources.WELCH_1947,
            sources.SATTERTHWAITE_1946,
        ),
        finding=verdict_sentence(metrics),
    )


def _answers(metrics: Mapping[str, Any]) -> Iterable[str]:
    verdicts = metrics["verdicts"]
    steady = [name for name in _MEASURES if name not in _LOGARITHMS]
    for pair, outcome in metrics["stability"].items():
        first, second = (model_name(name) for name in pair.split("-"))
        ahead = {
            side: [_MEASURES[name] for name in steady if verdicts[name][pair]["outcome"] == side]
            for side in ("first", "second", "undecided")
        }
        young = [name for name in pair.split("-") if not _has_learned(name, metrics)]
        if young:
            said = (
                f"{first} or {second}: which is more stable cannot be told from runs as short as these, for "
                + listing(
                    [
                        f"the distance of {model_name(name)} fell by {percent(metrics['progress'][name])} only"
                        for name in young
                    ]
                )
            )
        elif outcome == "undecided":
            said = f"{first} or {second}: which is more stable is not decided"
        elif outcome == "mixed":
            said = f"{first} or {second}: each is the steadier on some measure"
        else:
            winner, loser = (first, second) if outcome == "first" else (second, first)
            lead = f"ahead on {count(len(ahead[outcome]))} of {count(len(steady))} measures, behind on none"
            said = f"{winner} is more stable than {loser}: {lead}"
        decided = [
            _in_words(name, pair, verdicts[name][pair])
            for name in steady
            if verdicts[name][pair]["outcome"] != "undecided"
        ]
        undecided = [f"Not decided: {listing(ahead['undecided'])}."] if decided and ahead["undecided"] else []
        yield " ".join([f"{said}.", *decided, *undecided])
        yield f"How good they became is another matter. {_in_words('log_distance', pair, verdicts['log_distance'][pair])}"


def verdict_sentence(metrics: Mapping[str, Any]) -> str:
    """Returns which model is the more stable of each two, as far as that is decided."""
    told: dict[str, list[str]] = {"": [], "not decided": [], "not to be told from runs as short as these": []}
    for pair, outcome in metrics["stability"].items():
        first, second = (model_name(name) for name in pair.split("-"))
        if not all(_has_learned(name, metrics) for name in pair.split("-")):
            told["not to be told from runs as short as these"].append(f"{first} or {second}")
        elif outcome in ("undecided", "mixed"):
            told["not decided"].append(f"{first} or {second}")
        else:
            winner, loser = (first, second) if outcome == "first" else (second, first)
            told[""].append(f"{winner} is more stable than {loser}")
    clauses = [f"{listing(found)}{f' is {state}' if state else ''}" for state, found in told.items() if found]
    return f"Which trains more stably: {'; '.join(clauses)}."


def _has_learned(model: str, metrics: Mapping[str, Any]) -> bool:
    reached = metrics["progress"][model]
    return is_number(reached) and reached >= metrics["least_progress"]


def _in_words(measure: str, pair: str, found: Mapping[str, Any]) -> str:
    first, second = (model_name(name) for name in pair.split("-"))
    if not is_number(found["difference"]):
        return f"{_MEASURES[measure].capitalize()}, {first} and {second}: no pair of runs has a value."
    interval = _interval(measure, found)
    value = _value(measure, found["difference"])
    decided = "" if found["outcome"] != "undecided" else ", which decides nothing"
    if measure in _LOGARITHMS:
        return f"The {_MEASURES[measure]} of {first} is {value} times that of {second} ({interval}){decided}."
    more = "more" if found["difference"] > 0 else "less"
    size = significant(abs(found["difference"]), 2)
    name = _MEASURES[measure].capitalize()
    if measure == "sensitivity":
        size += f" (a factor of {significant(math.exp(abs(found['difference'])), 2)} in the distance)"
    return f"{name}: {size} {more} for {first} than for {second} (difference {interval}){decided}."


def _value(measure: str, difference: float) -> str:
    return significant(math.exp(difference), 3) if measure in _LOGARITHMS else significant(difference, 2)


def _interval(measure: str, found: Mapping[str, Any]) -> str:
    if found["interval"] is None:
        return "no interval"
    return "[" + ", ".join(_value(measure, bound) for bound in found["interval"]) + "]"


def _rows(verdicts: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    for measure, name in _MEASURES.items():
        for pair, found in verdicts[measure].items():
            first, second = pair.split("-")
            sign = "/" if measure in _LOGARITHMS else "\u2212"
            there = is_number(found["difference"])
            pairs = count(found["pairs"]) + (f" + {found['left_out']}" if found["left_out"] else "")
            less = {"first": first, "second": second}.get(found["outcome"])
            yield (
                name,
                f"{model_name(first)} {sign} {model_name(second)}",
                _value(measure, found["difference"]) if there else NOT_APPLICABLE,
                _interval(measure, found) if there else NOT_APPLICABLE,
                pairs,
                f"less: {model_name(less)}" if less else "not decided",
            )


def _failures(cells: Mapping[str, Any], metrics: Mapping[str, Any]) -> Iterable[str]:
    for model, variations in cells.items():
        diverged = {
            name: round(found["diverged"]["mean"] * found["diverged"]["runs"]) for name, found in variations.items()
        }
        collapsed = {
            name: round(found["collapsed"]["mean"] * found["collapsed"]["runs"]) for name, found in variations.items()
        }
        runs = sum(found["diverged"]["runs"] for found in variations.values())
        clauses = [
            f"{count(sum(found.values()))} {verb}"
            + (
                f" ({listing([f'{n} {variation_name(name)}' for name in variation_order(found) if (n := found[name])])})"
                if any(found.values())
                else ""
            )
            for verb, found in (("diverged", diverged), ("ended collapsed", collapsed))
        ]
        yield f"{model_name(model)}: of {count(runs)} runs {listing(clauses)}."
    yield (
        f"Collapsed is a run at whose end {metrics['missing_classes']} classes or more have less than "
        f"{percent(metrics['missing_share'])} of the images each, as the classifier sees them. In runs as short as these, a "
        "generator that has not yet learned to make every class looks the same."
    )


def _caveats(metrics: Mapping[str, Any]) -> Iterable[str]:
    yield (
        "More stable is what is ahead on some measure of stability and behind on none. A model that hardly learns hardly "
        "oscillates, and one that has collapsed not at all: so no single measure decides, and stability is to be read "
        "beside the distance at the end. Nothing is called "
        f"stable before it has come nearer by {percent(metrics['least_progress'])} of its first distance, as assigned. Less "
        "is better for every measure. Losses of different models have different units, so theirs is a relative oscillation."
    )
    yield (
        f"Seeds are the sample, {count(metrics['seeds'])} of them; the variations "
        "are fixed, each with a spread of its own. Intervals are by Student's t with Welch and Satterthwaite's degrees of "
        "freedom, and runs of one seed under different variations count as independent. Where all seeds agree to the "
        "digit, as shares of failed runs may, a handful of them is no proof, and there is no interval."
    )


def _level(metrics: Mapping[str, Any]) -> str:
    return percent(metrics["confidence"])
