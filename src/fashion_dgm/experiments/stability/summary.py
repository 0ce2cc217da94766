"""The results of the study: a row of measures for each run, means over seeds, and verdicts between models."""

# Explained in docs/stability.md.

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import ttest_1samp

from fashion_dgm.config import StabilityConfig
from fashion_dgm.experiments.stability.grid import AS_ASSIGNED, MODELS
from fashion_dgm.experiments.stability.measures import COMPARED, PRIMARY, RunRecord, measures_of

__all__ = ["PAIRS", "VARIED", "Outcome", "compare", "more_stable", "rows_of", "summarise"]

Outcome = Literal["first", "second", "undecided", "mixed"]

PAIRS = tuple(combinations(MODELS, 2))
VARIED = "varied"
LABELS = ("model", "variation", "seed", "status", "reason")


def rows_of(records: Sequence[RunRecord], study: StabilityConfig, untrained: float) -> pd.DataFrame:
    """Returns for each run its names, settings, status and measures; NaN where it has none.

    `degradation`, of varied runs, is by how much the logarithm of the distance is larger than that of the same model and
    seed as assigned, `max(0, log d - log d_assigned)`: 0.7 is twice the distance.

    Arguments:
        untrained: the distance of an untrained generator, which a diverged run counts with.
    """
    rows = pd.DataFrame(
        [
            {name: getattr(record, name) for name in LABELS} | record.settings | measures_of(record, study, untrained)
            for record in records
        ]
    )
    varied, seeds = rows["variation"] != AS_ASSIGNED, ["model", "seed"]
    assigned = rows[seeds].merge(rows.loc[~varied, [*seeds, "log_distance"]], how="left")["log_distance"]
    # Only getting worse counts: settings that improve on the assigned ones are no sign of instability.
    rows[PRIMARY] = (rows["log_distance"] - assigned).clip(lower=0).where(varied)
    return rows


def summarise(rows: pd.DataFrame, study: StabilityConfig) -> dict[str, Any]:
    """Returns the results as a report needs them.

    Everything is averaged over the variations of a seed first; means, deviations and tests are over seeds. The six
    comparisons of one measure hold together with the study's confidence (Bonferroni).

    Returns:
        `{"cells": {model: {"as_assigned" | "varied": {measure: {"mean", "sd", "runs"}}}}, "failures": {model:
        {"as_assigned" | "varied": {"runs", "diverged", "collapsed"}}}, "verdicts": {measure: {"gan-wgan": as `compare`}},
        "stability": {"gan-wgan": outcome}, "progress": {model: fraction}}`.
    """
    measures = [name for name in COMPARED if name != "assigned_log_distance"] + ["distance", "class_entropy"]
    groups = {
        (model, group): rows[(rows["model"] == model) & ((rows["variation"] == AS_ASSIGNED) == (group == AS_ASSIGNED))]
        for model in MODELS
        for group in (AS_ASSIGNED, VARIED)
    }
    # Runs of one seed share initial weights, the order of images and noise, so they are no independent sample; seeds are.
    by_seed = {key: part.groupby("seed")[[*measures, "progress"]].mean() for key, part in groups.items()}

    def values(model: str, measure: str) -> dict[int, float]:
        if measure == "assigned_log_distance":
            return by_seed[model, AS_ASSIGNED]["log_distance"].to_dict()
        return by_seed[model, VARIED][measure].to_dict()

    level = 1 - (1 - study.confidence) / len(PAIRS)
    verdicts = {
        name: {f"{one}-{other}": compare(values(one, name), values(other, name), level) for one, other in PAIRS}
        for name in COMPARED
    }
    cells: dict[str, Any] = {model: {} for model in MODELS}
    failures: dict[str, Any] = {model: {} for model in MODELS}
    for (model, group), part in groups.items():
        cells[model][group] = {name: _over_seeds(by_seed[model, group][name]) for name in measures}
        failures[model][group] = {"runs": len(part), **{n: int(part[n].sum()) for n in ("diverged", "collapsed")}}
    return {
        "cells": cells,
        "failures": failures,
        "verdicts": verdicts,
        "stability": {
            pair: more_stable(found["outcome"], verdicts["log_distance"][pair]["outcome"])
            for pair, found in verdicts[PRIMARY].items()
        },
        "progress": {model: _over_seeds(by_seed[model, AS_ASSIGNED]["progress"])["mean"] for model in MODELS},
    }


def compare(first: Mapping[int, float], second: Mapping[int, float], confidence: float) -> dict[str, Any]:
    """Compares two models on one measure by the paired t-test over seeds.

    Arguments:
        first: a value for each seed, NaN where there is none.
        second: the same of the other model.
        confidence: level of the interval, in `(0, 1)`.

    Returns:
        The mean `difference`, first minus second; its `interval` by Student's t, None for fewer than two pairs or where all
        differences are equal; `pairs`, how many seeds have a value on both sides, and `left_out`, how many have not; and
        the `outcome`: which model has less, and less is better for every measure here, or undecided if the interval
        includes 0.
    """
    shared = set(first) & set(second)
    differences = np.array([first[seed] - second[seed] for seed in sorted(shared)], dtype=np.float64)
    paired = differences[np.isfinite(differences)]
    found = {
        "difference": float(paired.mean()) if len(paired) else None,
        "interval": None,
        "pairs": len(paired),
        "left_out": len(shared) - len(paired),
        "outcome": "undecided",
    }
    # Seeds that agree to the digit, as fractions of failed runs may, are no proof that others would.
    if len(paired) < 2 or np.ptp(paired) == 0:
        return found
    low, high = map(float, ttest_1samp(paired, 0.0).confidence_interval(confidence))
    outcome: Outcome = "first" if high < 0 else "second" if low > 0 else "undecided"
    return found | {"interval": [low, high], "outcome": outcome}


def more_stable(degradation: Outcome, distance: Outcome) -> Outcome:
    """Returns which model is more stable: the one that degrades less, unless its images are farther away all the same.

    Arguments:
        degradation: which model degrades less under the variations.
        distance: which model's images are nearer under the variations. A model that is poor to begin with has little to
            lose, so one that is decidedly the farther is not called more stable: "mixed".
    """
    if degradation == "undecided" or distance in (degradation, "undecided"):
        return degradation
    return "mixed"


def _over_seeds(values: pd.Series) -> dict[str, float | int | None]:
    finite = values.dropna()
    return {
        "mean": float(finite.mean()) if len(finite) else None,
        "sd": float(finite.std()) if len(finite) > 1 else None,
        "runs": len(finite),
    }
