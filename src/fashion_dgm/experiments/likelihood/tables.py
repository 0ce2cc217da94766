"""Likelihood decompositions as tables, and their summaries."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame

from fashion_dgm.config import LikelihoodDecompositionConfig
from fashion_dgm.data.perturb import PERTURBATIONS
from fashion_dgm.experiments.likelihood.decomposition import Decomposition
from fashion_dgm.experiments.likelihood.gap import complexity_line, gap_by_part
from fashion_dgm.metrics.complexity import COMPLEXITIES
from fashion_dgm.metrics.resampling import Estimate, Partners, mean_estimate, paired_auroc, spearman

__all__ = ["compare_layers", "explain_sets", "image_table", "layer_table", "perturbation_rows"]

_PART = "part_"
Array = NDArray[np.float64]


def image_table(name: str, found: Decomposition, images: NDArray[np.uint8]) -> DataFrame:
    """Returns a row an image: `dataset`, `index`, `bits_per_dim`, `part_...`, `norm`, `neighbours` and complexities."""
    columns: dict[str, Any] = {"dataset": name, "index": range(len(images)), "bits_per_dim": found.bits_per_dim}
    columns |= {f"{_PART}{part}": bits for part, bits in found.parts.items()}
    columns |= {"norm": found.norm, "neighbours": found.neighbours}
    columns |= {measure: function(images) for measure, function in COMPLEXITIES.items()}
    return pd.DataFrame(columns)


def layer_table(name: str, found: Decomposition) -> DataFrame:
    """Returns a row a layer: `dataset`, `layer`, `kind`, `scale`, `label`, and means over images with their errors.

    `bits` is what its log-determinant costs, `stop` the bits/dim had the flow ended there, `stop_se` its standard error.
    """
    layers = range(1, len(found.kinds) + 1)
    table = pd.DataFrame({"dataset": name, "layer": layers, "kind": found.kinds, "scale": found.scales})
    # `coupling 2.1` is the first coupling of the second scale.
    numbered = zip(found.kinds, found.scales, table.groupby(["kind", "scale"]).cumcount() + 1, strict=True)
    table["label"] = [f"{kind} {scale}.{number}" if scale else kind for kind, scale, number in numbered]
    errors = found.stops.std(axis=1, ddof=1) / np.sqrt(found.stops.shape[1])
    return table.assign(bits=found.layers.mean(1), stop=found.stops.mean(1), stop_se=errors)


def explain_sets(
    table: DataFrame, inside: str, partners: Mapping[str, Partners | None], config: LikelihoodDecompositionConfig
) -> dict[str, Any]:
    """Says of each set where its gap to `inside` comes from, and how far complexity goes with bits/dim.

    Arguments:
        table: tables of `image_table`, one below the other.
        partners: by set, which image of `inside`, the in-distribution set, each of its images was made from; None if from
            none.

    Returns:
        `{"sets": {name: {...}}, "pooled": {measure: {"value", "value_interval"}}}`; a set has `images`, `bits_per_dim`,
        `norm` and `neighbours` with intervals, means of `complexity`, `spearman` of each measure with bits/dim, and, unless
        it is `inside`, its `gap` by part and the `line` that predicts it from each measure. A correlation is None of fewer
        than three images, or where one of its sides is constant.
    """
    resampling = config.bootstrap, config.confidence, config.seed

    def correlations(part: DataFrame) -> dict[str, Any]:
        if len(part) < 3:
            return {measure: {"value": None, "value_interval": None} for measure in COMPLEXITIES}
        bits = part["bits_per_dim"].to_numpy()
        return {measure: _finite(spearman(part[measure].to_numpy(), bits, *resampling)) for measure in COMPLEXITIES}

    groups = {str(name): group for name, group in table.groupby("dataset", sort=False)}
    ours = groups[inside]
    sets = {}
    for name, group in groups.items():
        rng = np.random.default_rng(config.seed)
        entry: dict[str, Any] = {"images": len(group)}
        for column in ("bits_per_dim", "norm", "neighbours"):
            entry |= mean_estimate(group[column].to_numpy(), config.bootstrap, config.confidence, rng).as_dict(column)
        entry["complexity"] = {measure: float(group[measure].mean()) for measure in COMPLEXITIES}
        entry["spearman"] = correlations(group)
        if name != inside:
            made_from = partners.get(name)
            pairs = None if made_from is None else made_from[: len(group)]
            entry["gap"] = gap_by_part(_parts(ours), _parts(group), *resampling, pairs)
            entry["line"] = {
                measure: complexity_line(_points(ours, measure), _points(group, measure), *resampling, pairs)
                for measure in COMPLEXITIES
            }
        sets[name] = entry
    return {"sets": sets, "pooled": correlations(table)}


def compare_layers(table: DataFrame, inside: str, outside: str) -> list[dict[str, Any]]:
    """Returns a row a layer: the bits/dim of two sets had the flow ended there, and the gap between them.

    Returns:
        `{"label", "kind", "scale", "inside", "outside", "gap", "gap_se"}` in the order of the flow; `gap_se` is the standard
        error of `gap`, outside minus inside.
    """
    ours, theirs = (table[table["dataset"] == name].reset_index(drop=True) for name in (inside, outside))
    rows = ours[["label", "kind", "scale"]].assign(
        inside=ours["stop"],
        outside=theirs["stop"],
        gap=theirs["stop"] - ours["stop"],
        gap_se=np.hypot(ours["stop_se"], theirs["stop_se"]),
    )
    return rows.to_dict("records")


def perturbation_rows(scores: DataFrame, config: LikelihoodDecompositionConfig) -> dict[str, list[dict[str, Any]]]:
    """Returns, for each perturbation and level, mean bits/dim and the AUROC of changed against unchanged images.

    Arguments:
        scores: columns `perturbation`, `level`, `index`, `bits_per_dim`; the unchanged images under the name `none`.

    Returns:
        By perturbation, rows by level; `changed` is false at the level that changes nothing, where the AUROC is 0.5 by
        definition.
    """
    before = scores.loc[scores["perturbation"] == "none", "bits_per_dim"].to_numpy()
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in PERTURBATIONS}
    for (name, level), group in scores[scores["perturbation"] != "none"].groupby(["perturbation", "level"], sort=True):
        after = group["bits_per_dim"].to_numpy()
        rng = np.random.default_rng(config.seed)
        difference = mean_estimate(after - before, config.bootstrap, config.confidence, rng)
        auroc = paired_auroc(before, after, config.bootstrap, config.confidence, config.seed)
        found[str(name)].append(
            {
                "level": float(level),
                "changed": float(level) != PERTURBATIONS[str(name)][1],
                "bits_per_dim": float(after.mean()),
                **difference.as_dict("difference"),
                **auroc.as_dict("auroc"),
            }
        )
    return found


def _parts(group: DataFrame) -> dict[str, Array]:
    return {column.removeprefix(_PART): group[column].to_numpy() for column in group if column.startswith(_PART)}


def _points(part: DataFrame, measure: str) -> tuple[Array, Array]:
    return part[measure].to_numpy(), part["bits_per_dim"].to_numpy()


def _finite(found: Estimate) -> dict[str, Any]:
    # A resample of a set that is nearly constant may be constant.
    clear = np.isfinite([found.value, *found.interval]).all()
    return found.as_dict() if clear else {"value": None, "value_interval": None}
