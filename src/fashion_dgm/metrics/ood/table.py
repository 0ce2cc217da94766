"""How well each score tells each set: one row for a model, a set, a score and a size of group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fashion_dgm.config import OODConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.detection import detection
from fashion_dgm.metrics.ood.groups import group_typicality
from fashion_dgm.metrics.ood.scores import SCORES

__all__ = ["detection_table"]


def detection_table(
    scores: pd.DataFrame, in_distribution: str, typical: Mapping[str, float], config: OODConfig
) -> pd.DataFrame:
    """Measures detection by every score in a table of scores.

    Arguments:
        scores: columns `model`, `dataset`, `bits_per_dim` and one for each score; a row an image. A score may be NaN where
            a model has none.
        in_distribution: the data set that is not foreign.
        typical: mean bits/dim of training images under each model.
        config: sizes of groups, replicates, confidence and seed.

    Returns:
        Columns `model`, `dataset`, `score`, `group_size`, `in_distribution_n`, `out_of_distribution_n`, `auroc`, `aupr`,
        `fpr95`, each of these three with `_low` and `_high`, `tails`, `uses_labels`, `fitted_on`. A pair in which scores are
        not finite has empty figures.
    """
    rows = []
    for model, of_model in scores.groupby("model", sort=False):
        by_set = {str(name): part for name, part in of_model.groupby("dataset", sort=False)}
        inside = by_set.pop(in_distribution)
        for dataset, outside in by_set.items():
            for name in (name for name in SCORES if name in scores.columns and inside[name].notna().any()):
                pair = inside[name].to_numpy(float), outside[name].to_numpy(float)
                rows.append(_row(str(model), dataset, name, 1, *pair, config))
            for size in config.group_sizes:
                try:
                    within, without = (
                        group_typicality(part["bits_per_dim"].to_numpy(float), typical[str(model)], size, config.seed)
                        for part in (inside, outside)
                    )
                except FashionDGMError:
                    continue
                rows.append(_row(str(model), dataset, "typicality", size, within, without, config))
    return pd.DataFrame(rows)


def _row(
    model: str,
    dataset: str,
    score: str,
    size: int,
    inside: NDArray[np.float64],
    outside: NDArray[np.float64],
    config: OODConfig,
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "model": model,
        "dataset": dataset,
        "score": score,
        "group_size": size,
        "in_distribution_n": len(inside),
        "out_of_distribution_n": len(outside),
    }
    try:
        found = detection(inside, outside, config.bootstrap, config.confidence, config.seed)
    except FashionDGMError:
        # Not finite: nothing can be said, and other rows are none the worse.
        found = None
    for name in ("auroc", "aupr", "fpr95"):
        low, high = (None, None) if found is None else getattr(found, f"{name}_interval")
        row |= {name: None if found is None else getattr(found, name), f"{name}_low": low, f"{name}_high": high}
    definition = SCORES[score]
    return row | {"tails": definition.tails, "uses_labels": definition.uses_labels, "fitted_on": "train"}
