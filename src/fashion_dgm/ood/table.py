"""How well each score detects each set: one row for a model, a set, a score and a size of group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fashion_dgm.config import OODConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.detection import Detection, detection
from fashion_dgm.metrics.resampling import Partners
from fashion_dgm.ood.comparison import compare_with_primary
from fashion_dgm.ood.groups import group_typicality
from fashion_dgm.ood.scores import SCORES

__all__ = ["detection_table"]


def detection_table(
    scores: pd.DataFrame,
    in_distribution: str,
    typical: Mapping[str, float],
    config: OODConfig,
    partners: Mapping[str, Partners | None] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measures detection by every score in a table of scores, and compares the primary score with each other one.

    Arguments:
        scores: columns `model`, `dataset`, `index` (within its set), `bits_per_dim` and one for each score; a row an image.
            A score may be NaN where a model has none.
        in_distribution: the data set that is not OOD.
        typical: mean bits/dim of training images under each model.
        config: sizes of groups, replicates, confidence and seed.
        partners: of a set that was made from in-distribution images, the index of the one that each image was made from.

    Returns:
        Columns `model`, `dataset`, `score`, `group_size`, `in_distribution_n`, `out_of_distribution_n`, `paired_n`, `auroc`,
        `aupr`, `fpr95`, each of these three with `_low` and `_high`, `tails`, `uses_labels`, `fitted_on`. A pair in which
        scores are not finite has empty figures. And the comparisons, as `compare_with_primary` returns them.
    """
    rows, found = [], {}
    for model, of_model in scores.groupby("model", sort=False):
        by_set = {str(name): part for name, part in of_model.groupby("dataset", sort=False)}
        inside = by_set.pop(in_distribution)
        for dataset, outside in by_set.items():
            made_from = (partners or {}).get(dataset)
            pairing = None if made_from is None else _positions(inside, made_from[outside["index"]])
            for name in (name for name in SCORES if name in scores.columns and inside[name].notna().any()):
                pair = inside[name].to_numpy(float), outside[name].to_numpy(float)
                row, detected = _row(str(model), dataset, name, 1, *pair, config, pairing)
                rows.append(row)
                if detected is not None:
                    found[str(model), dataset, name] = detected
            for size in config.group_sizes:
                try:
                    groups = _groups(inside, outside, typical[str(model)], size, config.seed, pairing)
                except FashionDGMError:
                    continue
                rows.append(_row(str(model), dataset, "typicality", size, groups[0], groups[1], config, groups[2])[0])
    return pd.DataFrame(rows), compare_with_primary(
        found, config.primary_score, config.confidence, config.least_difference
    )


def _positions(inside: pd.DataFrame, index: Partners) -> Partners:
    """Where in a table of in-distribution images those of an index are, -1 for those that were not scored."""
    where = pd.Series(np.arange(len(inside)), inside["index"])
    return where.reindex(index, fill_value=-1).to_numpy()


def _groups(
    inside: pd.DataFrame, outside: pd.DataFrame, typical: float, size: int, seed: int, partners: Partners | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], Partners | None]:
    """Typicality of groups of both sets: of images with their partners the same groups, then groups of the others."""
    ours, theirs = (part["bits_per_dim"].to_numpy(float) for part in (inside, outside))
    if partners is None:
        return group_typicality(ours, typical, size, seed), group_typicality(theirs, typical, size, seed), None
    paired = partners >= 0
    rest = np.setdiff1d(np.arange(len(ours)), partners[paired])
    within, without = (
        [group_typicality(part, typical, size, seed) for part in parts if len(part) >= size]
        for parts in ((ours[partners[paired]], ours[rest]), (theirs[paired], theirs[~paired]))
    )
    if not within or not without:
        raise FashionDGMError(f"there are too few images for a group of {size}")
    of_groups = np.full(sum(map(len, without)), -1)
    together = paired.sum() // size
    of_groups[:together] = np.arange(together)
    return np.concatenate(within), np.concatenate(without), of_groups


def _row(
    model: str,
    dataset: str,
    score: str,
    size: int,
    inside: NDArray[np.float64],
    outside: NDArray[np.float64],
    config: OODConfig,
    partners: Partners | None = None,
) -> tuple[dict[str, Any], Detection | None]:
    row: dict[str, Any] = {
        "model": model,
        "dataset": dataset,
        "score": score,
        "group_size": size,
        "in_distribution_n": len(inside),
        "out_of_distribution_n": len(outside),
        "paired_n": 0 if partners is None else int((partners >= 0).sum()),
    }
    try:
        found = detection(inside, outside, config.bootstrap, config.confidence, config.seed, partners)
    except FashionDGMError:
        # Not finite: nothing can be said, and other rows are none the worse.
        found = None
    for name in ("auroc", "aupr", "fpr95"):
        low, high = (None, None) if found is None else getattr(found, f"{name}_interval")
        row |= {name: None if found is None else getattr(found, name), f"{name}_low": low, f"{name}_high": high}
    definition = SCORES[score]
    row |= {"tails": definition.tails, "uses_labels": definition.uses_labels, "fitted_on": "train"}
    return row, found
