"""The results of detection as metrics that JSON can hold."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from fashion_dgm.config import OODConfig
from fashion_dgm.ood.scores import SCORES, scores_of

__all__ = ["summarise"]

Row = dict[str, Any]


def summarise(
    scores: pd.DataFrame,
    table: pd.DataFrame,
    differences: pd.DataFrame,
    fitted: Mapping[str, Any],
    sets_summary: Mapping[str, Any],
    config: OODConfig,
) -> dict[str, Any]:
    """Returns what the report shows of detection.

    Arguments:
        scores: as `detection_table` takes them.
        table, differences: what it returned.
        fitted: `{"in_distribution", "images", "references", "ensemble", "missing": {model: {score: reason}}, "failed":
            {set: reason}}`.
        sets_summary: `{"sets": {name: {"note"}}}`, where a note reports copies.

    Returns:
        `in_distribution` and `sets`, with bits/dim and detection by raw likelihood under the first model; `models`, with
        bits/dim of `in_distribution` images, `results` by score and set, `groups` by size and set, `comparisons` of the
        primary score by other score and set, and `missing` scores; `definitions` of the scores; the `primary_score`; `notes`
        and `failed` by set; and how it was measured.
    """
    in_distribution = fitted["in_distribution"]
    bits = {
        (str(model), str(name)): _bits(values)
        for (model, name), values in scores.groupby(["model", "dataset"], sort=False)["bits_per_dim"]
    }
    single = table[table["group_size"] == 1]
    # The main one, unless none of the scores can be made of it.
    first = str(single["model"].iloc[0])
    models = {
        str(name): {
            "in_distribution": {"name": in_distribution, **bits[str(name), in_distribution]},
            "results": _nested(part[part["group_size"] == 1], "score", _areas),
            "groups": _nested(part[part["group_size"] > 1], "group_size", _areas),
            "comparisons": _nested(differences[differences["model"] == name], "score", _compared),
            "missing": fitted["missing"][str(name)],
        }
        for name, part in table.groupby("model", sort=False)
    }
    results = models[first]["results"]
    raw = results.get("likelihood", {})
    sets = {name: values for (model, name), values in bits.items() if model == first and name != in_distribution}
    return {
        "score": "bits per dimension, one-sided: high means out of distribution",
        "in_distribution": models[first]["in_distribution"],
        "sets": {name: {**values, **raw.get(name, {"auroc": None})} for name, values in sets.items()},
        "model": first,
        "models": models,
        "primary_score": config.primary_score if config.primary_score in results else next(iter(results)),
        "definitions": {
            name: {
                "label": _label(name, fitted["ensemble"]),
                **{entry: getattr(SCORES[name], entry) for entry in ("paper", "tails", "uses_flow", "uses_labels")},
            }
            # Groups are tested by typicality, and a slow flow scored by the likelihood, whether or not either was asked for.
            for name in SCORES
            if name in scores_of(config) or name in set(table["score"])
        },
        "notes": {
            name: entry["note"]
            for name, entry in sets_summary.get("sets", {}).items()
            if name in sets and entry.get("note")
        },
        "failed": dict(fitted["failed"]),
        "fit_images": fitted["images"],
        "ensemble": fitted["ensemble"],
        "reference_images": fitted["references"],
        "confidence": config.confidence,
        "bootstrap": config.bootstrap,
        "comparisons": len(differences),
        "least_difference": config.least_difference,
    }


def _label(name: str, ensemble: int) -> str:
    """Returns what a score is called; of one that compares several weights of a flow, with their number."""
    label = SCORES[name].label
    return f"{label} ({ensemble} weights)" if "ensemble_bits_per_dim" in SCORES[name].needs and ensemble > 1 else label


def _bits(values: pd.Series) -> dict[str, Any]:
    return {
        "images": len(values),
        "bits_per_dim": _finite(values.mean()),
        "bits_per_dim_sd": _finite(values.std(ddof=1)),
    }


def _nested(rows: pd.DataFrame, key: str, entry: Callable[[Row], Row]) -> dict[str, dict[str, Row]]:
    """Returns an entry for each row, by the value of `key` and by set."""
    nested: dict[str, dict[str, Row]] = {}
    for row in rows.to_dict("records"):
        nested.setdefault(str(row[key]), {})[str(row["dataset"])] = entry(row)
    return nested


def _areas(row: Row) -> Row:
    found: Row = {}
    for name in ("auroc", "aupr", "fpr95"):
        found[name] = _finite(row[name])
        if found[name] is not None:
            found[f"{name}_interval"] = [row[f"{name}_low"], row[f"{name}_high"]]
    return found


def _compared(row: Row) -> Row:
    return {"difference": row["difference"], "verdict": row["verdict"], "interval": [row["low"], row["high"]]}


def _finite(value: float | None) -> float | None:
    """JSON has no word for NaN."""
    return float(value) if value is not None and math.isfinite(value) else None
