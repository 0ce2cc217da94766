"""The chapter on the stability of adversarial training."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from fashion_dgm.experiments.stability.measures import COMPARED, PRIMARY, RATIOS
from fashion_dgm.reporting import sources
from fashion_dgm.reporting.chapters.titles import TITLES
from fashion_dgm.reporting.report import BlockChapter, FigureBlock, NoteBlock, TableBlock, TextBlock
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
)

__all__ = ["stability_chapter", "verdict_sentence"]


def stability_chapter(
    metrics: Mapping[str, Any], curves_png: bytes, measures_png: bytes, verdict_png: bytes
) -> BlockChapter:
    """States which model trains more stably, and by how much, or that this is not decided.

    Arguments:
        metrics: what `stability.summary.summarise` returns, with "samples", "floor", "training", "untrained" and the
            study's parameters under "config".
        curves_png: the distance of every run over training.
        measures_png: the measures of each model.
        verdict_png: the differences with their intervals.
    """
    verdicts, study = metrics["verdicts"], metrics["config"]
    models = list(metrics["cells"])
    runs = len(models) * study["seeds"] * (1 + study["variations"])
    steps = study["epochs"] * study["generator_steps"]
    ranges = study["ranges"]
    slow, fast = (significant(factor, 2) for factor in ranges["learning_rate_factor"])
    fewest, most = ranges["discriminator_steps"]
    return BlockChapter(
        title=TITLES["stability"],
        anchor="stability",
        intro=(
            f"{listing([model_name(name) for name in models])} are trained with {plural(study['seeds'], 'seed')}, as "
            f"assigned and under {plural(study['variations'], 'variation')} a seed, {count(runs)} runs in all. A variation "
            f"draws a learning rate of {slow} to {fast} times the assigned one, {fewest} to {most} steps of the "
            f"discriminator or critic for one of the generator, and with probability {percent(ranges['unnormalised'])} no "
            f"normalisation; every model gets the same ones. Every run takes {count(steps)} generator steps with batches of "
            f"{study['batch_size']} in networks of width {study['width']}. The results hold for runs of this size.",
        ),
        blocks=(
            TextBlock(tuple(_answers(metrics)), heading="The answer"),
            FigureBlock(
                verdict_png,
                "Differences between each two models on every measure, with intervals: "
                + " ".join(_in_words(name, pair, found) for name in COMPARED for pair, found in verdicts[name].items()),
                f"Mean paired differences, or ratios of distances, over seeds. The {COMPARED[PRIMARY]} decides; the other "
                "measures describe. An interval that includes no difference decides nothing. The intervals of one "
                f"measure hold together with {percent(study['confidence'])} confidence.",
            ),
            FigureBlock(
                curves_png,
                "Fréchet classifier distance against epochs, a row for each model, as assigned on the left and varied on "
                "the right, a line for each run.",
                f"The Fréchet classifier distance of every run to {count(metrics['samples'])} official test images (as many "
                "on either side). Thin: runs; thick: geometric mean; a cross: where a run diverged; dashed: an untrained "
                f"generator, {number(metrics['untrained'], 0)}, and as many held-out images, {number(metrics['floor'], 2)} "
                f"(the floor; training images, which the classifier was fitted to, have {number(metrics['training'], 2)}).",
            ),
            FigureBlock(
                measures_png,
                "Mean and standard deviation of the measures of each model, as a heat map.",
                "Mean ± standard deviation over seeds, each the mean over its variations. The darker, the worse within a "
                "column.",
            ),
            TextBlock(tuple(_failures(metrics)), heading="Runs that failed"),
            TableBlock(
                ("Measure", "Models", "Difference or ratio", "Interval", "Seeds", "Verdict"),
                tuple(_rows(verdicts)),
                "All comparisons: means over the variations of a seed, paired over seeds; ratios for the distances. Seeds "
                "without a value on either side are left out and counted after +.",
                numeric=(2, 3, 4),
            ),
            NoteBlock("How to read it", tuple(_caveats(metrics))),
        ),
        sources=(
            sources.ARJOVSKY_2017,
            sources.GULRAJANI_2017,
            sources.MIYATO_2018,
            sources.LUCIC_2018,
            sources.GASSER_1986,
        ),
        finding=verdict_sentence(metrics),
    )


def _answers(metrics: Mapping[str, Any]) -> Iterable[str]:
    for pair in metrics["stability"]:
        primary, distance = (
            _in_words(name, pair, metrics["verdicts"][name][pair]) for name in (PRIMARY, "log_distance")
        )
        yield f"{_verdict(pair, metrics)}. {primary} {distance}"


def verdict_sentence(metrics: Mapping[str, Any]) -> str:
    """Returns which model of each two is the more stable, as far as that is decided."""
    return f"Which trains more stably: {'; '.join(_verdict(pair, metrics) for pair in metrics['stability'])}."


def _verdict(pair: str, metrics: Mapping[str, Any]) -> str:
    first, second = (model_name(name) for name in pair.split("-"))
    outcome = metrics["stability"][pair]
    short = [name for name in pair.split("-") if not _has_learned(name, metrics)]
    if short:
        reached = [
            f"{model_name(name)} reduced its distance by {percent(metrics['progress'][name])} only" for name in short
        ]
        return f"{first} or {second}: too short to tell ({listing(reached)})"
    if outcome == "undecided":
        return f"{first} or {second}: not decided"
    if outcome == "mixed":
        return f"{first} or {second}: mixed, as the one that degrades less is the farther from real images"
    winner, loser = (first, second) if outcome == "first" else (second, first)
    return f"{winner} is more stable than {loser}"


def _has_learned(model: str, metrics: Mapping[str, Any]) -> bool:
    reached = metrics["progress"][model]
    return is_number(reached) and reached >= metrics["config"]["least_progress"]


def _in_words(measure: str, pair: str, found: Mapping[str, Any]) -> str:
    first, second = (model_name(name) for name in pair.split("-"))
    name = COMPARED[measure].capitalize()
    if not is_number(found["difference"]):
        return f"{name}, {first} and {second}: no seed has a value."
    value, interval = _value(measure, found["difference"]), _interval(measure, found)
    kind = "ratio" if measure in RATIOS else "difference"
    decided = "" if found["outcome"] != "undecided" else ", not significant"
    return f"{name}, {kind} of {first} to {second}: {value} ({interval}{decided})."


def _value(measure: str, difference: float) -> str:
    return significant(math.exp(difference), 3) if measure in RATIOS else significant(difference, 2)


def _interval(measure: str, found: Mapping[str, Any]) -> str:
    if found["interval"] is None:
        return "no interval"
    return "[" + ", ".join(_value(measure, bound) for bound in found["interval"]) + "]"


def _rows(verdicts: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    for measure, name in COMPARED.items():
        for pair, found in verdicts[measure].items():
            first, second = pair.split("-")
            sign = "/" if measure in RATIOS else "\u2212"
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


def _failures(metrics: Mapping[str, Any]) -> Iterable[str]:
    for model, groups in metrics["failures"].items():
        clauses = [
            f"{label} {count(found['diverged'])} of {count(found['runs'])} diverged and {count(found['collapsed'])} ended "
            "collapsed"
            for label, found in (("as assigned", groups["as_assigned"]), ("varied", groups["varied"]))
        ]
        yield f"{model_name(model)}: {listing(clauses)}."
    study = metrics["config"]
    yield (
        f"A run has collapsed if {study['missing_classes']} classes or more each have less than "
        f"{percent(study['missing_share'])} of its images at the end, as the classifier sees them. In runs as short as "
        "these, a generator that has not yet learned to make every class looks the same."
    )


def _caveats(metrics: Mapping[str, Any]) -> Iterable[str]:
    study = metrics["config"]
    yield (
        "Degradation is how much farther a run's images are than those of the same seed with the assigned settings, as a "
        "logarithm, and zero where they are nearer. The model that degrades less is the more stable, unless its images "
        "are farther under the variations all the same, and provided that both have reduced their first distance by "
        f"{percent(study['least_progress'])} as assigned. Losses of different models have different units, so theirs is a "
        "relative oscillation."
    )
    yield (
        f"The unit is the seed, {count(study['seeds'])} of them: runs of one seed share weights, order of images and "
        "noise, so they are averaged first. Intervals are those of the paired t-test. Equal generator steps are not equal "
        "time: a WGAN as assigned takes five critic steps for each."
    )
