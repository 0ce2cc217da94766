"""Whether one score detects a set better than another: the one rule for every sentence that says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from fashion_dgm.metrics.detection import Detection

__all__ = ["compare_with_primary"]

Key = tuple[str, str, str]


def compare_with_primary(
    found: Mapping[Key, Detection], primary_score: str, confidence: float, least_difference: float
) -> pd.DataFrame:
    """Compares the primary score with every other one on every set, both scores being of the same images.

    The difference of two AUROCs is paired: each resample of the images gives both. Its interval is normal with the standard
    deviation of the resampled differences, at the level `1 - (1 - confidence) / K` for K comparisons in the table
    (Bonferroni), so that all intervals hold together with probability `confidence`. A score is better where that interval
    leaves out 0 and the difference is at least `least_difference`.

    Arguments:
        found: detection by `(model, dataset, score)`, with resamples in common.
        primary_score: its name.
        confidence: of all intervals together, in `(0, 1)`.
        least_difference: in AUROC; a smaller one is called none.

    Returns:
        A row a comparison: `model`, `dataset`, `score`, the `difference` in AUROC (primary minus `score`), its `low` and
        `high`, the number of `comparisons`, and the `verdict` on the primary score: better, worse or undecided.
    """
    pairs = [
        (key, found[(*key[:2], primary_score)], other)
        for key, other in found.items()
        if key[2] != primary_score and (*key[:2], primary_score) in found
    ]
    reach = norm.ppf(1 - (1 - confidence) / (2 * len(pairs))) if pairs else 0.0
    rows = []
    for (model, dataset, score), ours, theirs in pairs:
        difference = ours.auroc - theirs.auroc
        margin = float(reach * np.std(ours.auroc_replicates - theirs.auroc_replicates))
        low, high = difference - margin, difference + margin
        decided = abs(difference) >= least_difference and (low > 0 or high < 0)
        verdict = "undecided" if not decided else "better" if difference > 0 else "worse"
        row: dict[str, Any] = {"model": model, "dataset": dataset, "score": score, "difference": difference}
        rows.append(row | {"low": low, "high": high, "comparisons": len(pairs), "verdict": verdict})
    columns = ["model", "dataset", "score", "difference", "low", "high", "comparisons", "verdict"]
    return pd.DataFrame(rows, columns=columns)
