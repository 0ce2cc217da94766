"""How well each score detects each set: one row for a model, a set, a score and a size of group."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from fashion_dgm.config import OODConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.detection import Detection, detection
from fashion_dgm.metrics.resampling import Partners
from fashion_dgm.ood.scores import SCORES

__all__ = ["compare_with_primary", "detection_table", "group_typicality"]

Key = tuple[str, str, str]


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
                key = str(model), dataset, name
                pair = inside[name].to_numpy(float), outside[name].to_numpy(float)
                row, detected = _row(key, 1, *pair, pairing, config)
                rows.append(row)
                if detected is not None:
                    found[key] = detected
            for size in config.group_sizes:
                try:
                    groups = _groups(inside, outside, typical[str(model)], size, config.seed, pairing)
                except FashionDGMError:
                    continue
                rows.append(_row((str(model), dataset, "typicality"), size, *groups, config)[0])
    return pd.DataFrame(rows), compare_with_primary(
        found, config.primary_score, config.confidence, config.least_difference
    )


def group_typicality(bits: NDArray[np.floating], typical: float, size: int, seed: int) -> NDArray[np.float64]:
    """Returns how far the mean bits/dim of each group of images is from that of training images.

    Groups are of images of one set, put together by chance and disjoint; what is left over is in none. A mean of many
    varies less, so groups are detected more easily than single images: results of different sizes do not compare. Nalisnick
    et al., 2019, "Detecting out-of-distribution inputs to deep generative models using typicality", equation 4, two-sided.

    Arguments:
        bits: bits/dim of each image, `(N,)`.
        typical: mean bits/dim of training images.

    Returns:
        float64, `(N // size,)`.

    Raises:
        FashionDGMError: if there are fewer images than one group.
    """
    groups = len(bits) // size
    if groups == 0:
        raise FashionDGMError(f"{len(bits)} images make no group of {size}")
    order = np.random.default_rng(seed).permutation(len(bits))[: groups * size]
    return np.abs(bits[order].reshape(groups, size).mean(axis=1) - typical)


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
    for key, ours, theirs in pairs:
        difference = ours.auroc - theirs.auroc
        margin = float(reach * np.std(ours.auroc_replicates - theirs.auroc_replicates))
        low, high = difference - margin, difference + margin
        decided = abs(difference) >= least_difference and (low > 0 or high < 0)
        verdict = "undecided" if not decided else "better" if difference > 0 else "worse"
        rows.append((*key, difference, low, high, len(pairs), verdict))
    columns = ["model", "dataset", "score", "difference", "low", "high", "comparisons", "verdict"]
    return pd.DataFrame(rows, columns=columns)


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
    key: Key,
    size: int,
    inside: NDArray[np.float64],
    outside: NDArray[np.float64],
    partners: Partners | None,
    config: OODConfig,
) -> tuple[dict[str, Any], Detection | None]:
    row: dict[str, Any] = dict(zip(("model", "dataset", "score"), key, strict=True))
    row |= {"group_size": size, "in_distribution_n": len(inside), "out_of_distribution_n": len(outside)}
    row["paired_n"] = 0 if partners is None else int((partners >= 0).sum())
    try:
        found = detection(inside, outside, config.bootstrap, config.confidence, config.seed, partners)
    except FashionDGMError:
        # Not finite: nothing can be said, and other rows are none the worse.
        found = None
    for name in ("auroc", "aupr", "fpr95"):
        low, high = (None, None) if found is None else getattr(found, f"{name}_interval")
        row |= {name: None if found is None else getattr(found, name), f"{name}_low": low, f"{name}_high": high}
    definition = SCORES[key[2]]
    return row | {"tails": definition.tails, "uses_labels": definition.uses_labels, "fitted_on": "train"}, found
