"""What the runs come to: a row of measures a run, means over seeds, and what they decide between two models."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from fashion_dgm.config import StabilityConfig
from fashion_dgm.stability.grid import MODELS
from fashion_dgm.stability.measures import (
    COMPARED,
    STEADINESS,
    Collapse,
    RunRecord,
    measures_of,
    sensitivities,
    summarised,
)
from fashion_dgm.stability.verdict import Verdict, compare, dominance

__all__ = ["PAIRS", "rows_of", "summarise"]

PAIRS = tuple(combinations(MODELS, 2))
LABELS = ("model", "variation", "seed", "status", "reason")

Row = dict[str, Any]


def rows_of(records: Sequence[RunRecord], study: StabilityConfig) -> list[Row]:
    """Returns for each run its names, its status and its measures; NaN where it has none."""
    collapse = Collapse(study.missing_share, study.missing_classes)
    rows: list[Row] = [
        {**{name: getattr(record, name) for name in LABELS}, **measures_of(record, collapse)} for record in records
    ]
    for model in MODELS:
        found = sensitivities(_by_run(rows, model, "log_distance"), study.baseline)
        for row in rows:
            if row["model"] == model:
                row["sensitivity"] = found.get((row["variation"], row["seed"]), math.nan)
    return rows


def summarise(rows: Sequence[Row], study: StabilityConfig) -> dict[str, Any]:
    """Returns what the runs come to, as a report needs it.

    A summary is mean and standard deviation over seeds, the progress that of the baseline. All verdicts hold together with
    the study's confidence: each interval has its share of the error (Bonferroni).

    Returns:
        `{"cells": {model: {variation: {measure: summary}}}, "verdicts": {measure: {"gan-wgan": verdict}},
        "stability": {"gan-wgan": dominance}, "progress": {model: share}}`.
    """
    measures = [name for name in rows[0] if name not in LABELS]
    cells = {
        model: {
            variation: {
                name: summarised([row[name] for row in rows if (row["model"], row["variation"]) == (model, variation)])
                for name in measures
            }
            for variation in study.variations
        }
        for model in MODELS
    }
    level = 1 - (1 - study.confidence) / (len(PAIRS) * len(COMPARED))
    verdicts = {
        measure: {
            f"{first}-{second}": _written(
                compare(
                    _by_run(rows, first, measure, study.baseline),
                    _by_run(rows, second, measure, study.baseline),
                    level,
                )
            )
            for first, second in PAIRS
        }
        for measure in COMPARED
    }
    reached = {model: cells[model][study.baseline]["progress"]["mean"] for model in MODELS}
    stability = {
        pair: dominance(verdicts[measure][pair]["outcome"] for measure in STEADINESS)
        for pair in verdicts[STEADINESS[0]]
    }
    return {"cells": cells, "verdicts": verdicts, "stability": stability, "progress": reached}


def _by_run(rows: Sequence[Row], model: str, measure: str, baseline: str = "") -> dict[tuple[str, int], float]:
    """A measure by (variation, seed); the baseline has no sensitivity, by definition and not for want of a value."""
    return {
        (row["variation"], row["seed"]): row[measure]
        for row in rows
        if row["model"] == model and not (measure == "sensitivity" and row["variation"] == baseline)
    }


def _written(verdict: Verdict) -> Mapping[str, Any]:
    """As JSON has it, which knows no NaN."""
    there = math.isfinite(verdict.interval[0])
    return {
        "difference": verdict.difference if math.isfinite(verdict.difference) else None,
        "interval": list(verdict.interval) if there else None,
        "pairs": verdict.pairs,
        "left_out": verdict.left_out,
        "outcome": verdict.outcome,
    }
