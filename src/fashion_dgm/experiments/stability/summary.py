"""The results of the study: a row of measures for each run, means over seeds, and verdicts between models."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from fashion_dgm.config import StabilityConfig
from fashion_dgm.experiments.stability.grid import AS_ASSIGNED, MODELS
from fashion_dgm.experiments.stability.measures import (
    COMPARED,
    PRIMARY,
    Collapse,
    RunRecord,
    degradations,
    measures_of,
    summarised,
)
from fashion_dgm.experiments.stability.verdict import Verdict, compare, more_stable, seed_means

__all__ = ["PAIRS", "VARIED", "rows_of", "summarise"]

PAIRS = tuple(combinations(MODELS, 2))
VARIED = "varied"
LABELS = ("model", "variation", "seed", "status", "reason")

Row = dict[str, Any]


def rows_of(records: Sequence[RunRecord], study: StabilityConfig, untrained: float) -> list[Row]:
    """Returns for each run its names, settings, status and measures; NaN where it has none.

    Arguments:
        untrained: the distance of an untrained generator, which a diverged run counts with.
    """
    collapse = Collapse(study.missing_fraction, study.missing_classes)
    rows: list[Row] = [
        {
            **{name: getattr(record, name) for name in LABELS},
            **record.settings,
            **measures_of(record, collapse, untrained),
        }
        for record in records
    ]
    for model in MODELS:
        own = [row for row in rows if row["model"] == model]
        found = degradations({(row["variation"], row["seed"]): row["log_distance"] for row in own}, AS_ASSIGNED)
        for row in own:
            row[PRIMARY] = found.get((row["variation"], row["seed"]), math.nan)
    return rows


def summarise(rows: Sequence[Row], study: StabilityConfig) -> dict[str, Any]:
    """Returns the results as a report needs them.

    Everything is averaged over the variations of a seed first; means, deviations and tests are over seeds. The six
    comparisons of one measure hold together with the study's confidence (Bonferroni).

    Returns:
        `{"cells": {model: {"as_assigned" | "varied": {measure: summary}}}, "failures": {model: {"as_assigned" | "varied":
        {"runs", "diverged", "collapsed"}}}, "verdicts": {measure: {"gan-wgan": verdict}}, "stability": {"gan-wgan":
        outcome}, "progress": {model: fraction}}`.
    """
    measures = [name for name in COMPARED if name != "assigned_log_distance"] + ["distance", "class_entropy"]
    cells = {
        model: {
            group: {name: summarised(list(_by_seed(rows, model, name, group).values())) for name in measures}
            for group in (AS_ASSIGNED, VARIED)
        }
        for model in MODELS
    }
    failures = {
        model: {
            group: {
                "runs": len(found := _runs(rows, model, group)),
                **{name: int(sum(row[name] for row in found)) for name in ("diverged", "collapsed")},
            }
            for group in (AS_ASSIGNED, VARIED)
        }
        for model in MODELS
    }
    level = 1 - (1 - study.confidence) / len(PAIRS)
    compared = {
        measure: {
            f"{first}-{second}": compare(
                _compared_values(rows, first, measure), _compared_values(rows, second, measure), level
            )
            for first, second in PAIRS
        }
        for measure in COMPARED
    }
    return {
        "cells": cells,
        "failures": failures,
        "verdicts": {name: {pair: _written(found) for pair, found in of.items()} for name, of in compared.items()},
        "stability": {
            pair: more_stable(found.outcome, compared["log_distance"][pair].outcome)
            for pair, found in compared[PRIMARY].items()
        },
        "progress": {
            model: summarised(list(_by_seed(rows, model, "progress", AS_ASSIGNED).values()))["mean"] for model in MODELS
        },
    }


def _runs(rows: Sequence[Row], model: str, group: str) -> list[Row]:
    return [
        row for row in rows if row["model"] == model and (row["variation"] == AS_ASSIGNED) == (group == AS_ASSIGNED)
    ]


def _by_seed(rows: Sequence[Row], model: str, measure: str, group: str) -> dict[int, float]:
    return seed_means({(row["variation"], row["seed"]): row[measure] for row in _runs(rows, model, group)})


def _compared_values(rows: Sequence[Row], model: str, measure: str) -> dict[int, float]:
    if measure == "assigned_log_distance":
        return _by_seed(rows, model, "log_distance", AS_ASSIGNED)
    return _by_seed(rows, model, measure, VARIED)


def _written(verdict: Verdict) -> Mapping[str, Any]:
    """As JSON has it, which knows no NaN."""
    return {
        "difference": verdict.difference if math.isfinite(verdict.difference) else None,
        "interval": list(verdict.interval) if math.isfinite(verdict.interval[0]) else None,
        "pairs": verdict.pairs,
        "left_out": verdict.left_out,
        "outcome": verdict.outcome,
    }
