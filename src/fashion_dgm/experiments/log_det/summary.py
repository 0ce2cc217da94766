"""Summaries of the study's tables."""

import itertools
import math
from typing import Any

import numpy as np
from pandas import DataFrame

from fashion_dgm.experiments.log_det.draws import quantile
from fashion_dgm.experiments.log_det.moments import truncation_bound

__all__ = ["break_even", "summarise", "terms_by_bound", "terms_needed"]

Metrics = dict[str, Any]
SMALL_BIAS = 0.01


def summarise(
    blocks: DataFrame, truncation: DataFrame, estimators: DataFrame, confidence: float, focus: set[str]
) -> Metrics:
    """Returns the metrics of the study.

    Arguments:
        blocks, truncation, estimators: as `study` returns them.
        confidence: of all statements of a test.
        focus: names of the blocks that figures show.
    """
    shown = blocks[blocks["block"].isin(focus)]
    trained = blocks[blocks["kind"] == "trained"]
    return {
        "confidence": confidence,
        "blocks": len(blocks),
        "unbiased": _bias_tests(estimators, confidence),
        "variance": _variance_tests(blocks, confidence),
        "focus": [_block_summary(row, truncation, estimators, confidence) for row in shown.to_dict(orient="records")],
        "trained": _trained_summary(trained, truncation, estimators) if len(trained) else None,
    }


def break_even(cost: float, roulette: float, truncation: float, bias: float) -> float | None:
    """Returns the budget from which roulette errs less than a truncation of the same cost, in vector-Jacobian products.

    With `B / cost` probes, truncation errs by `bias^2 + truncation cost / B` and roulette by `roulette cost / B`.

    Arguments:
        cost: expected terms of either, for one probe.
        roulette, truncation: variances at one probe.
        bias: of the truncation.

    Returns:
        The budget, 0 if roulette is better at any, None if at none.
    """
    if not math.isfinite(roulette):
        return None
    if roulette <= truncation:
        return 0.0
    return cost * (roulette - truncation) / bias**2 if bias else None


def terms_needed(errors: DataFrame, limit: float) -> int | None:
    """Returns after how many terms the absolute error stays below `limit`, None if it never does in the table."""
    ordered = errors.sort_values("terms")
    above = ordered["terms"][ordered["error"].abs() >= limit]
    last = int(above.max()) if len(above) else 0
    return last + 1 if last < int(ordered["terms"].max()) else None


def terms_by_bound(dimension: int, lipschitz: float, limit: float) -> int:
    """Returns after how many terms theory promises an error below `limit`, whatever the Jacobian."""
    return next(n for n in itertools.count(1) if truncation_bound(dimension, lipschitz, n) < limit)


def _bias_tests(estimators: DataFrame, confidence: float) -> Metrics:
    """Tests the measured against the true bias, apart for finite and infinite variances.

    Estimators on one block share probes, so how many intervals miss has no simple distribution; Bonferroni's bound on
    the largest deviation holds all the same.
    """
    roulette = estimators["family"] != "truncation"
    finite = np.isfinite(estimators["variance_theory"])
    groups = {"finite": roulette & finite, "infinite": roulette & ~finite, "truncation": ~roulette}
    found = {}
    for name, chosen in groups.items():
        table = estimators[chosen]
        # A truncated estimator is compared with its own bias, which theory gives.
        deviations = ((table["bias"] - table["bias_theory"]) / table["bias_error"]).abs()
        deviations = deviations[np.isfinite(deviations)]
        found[name] = _test(deviations.to_numpy(), confidence)
        if len(deviations):
            worst = table.loc[deviations.idxmax()]
            found[name]["farthest"] = f"{worst['block']}: {worst['estimator']}"
    table = estimators[~roulette]
    detected = (table["bias"] / table["bias_error"]).abs() > quantile(confidence, max(len(table), 1))
    found["truncation"]["biased"] = int(detected.sum())
    return found


def _variance_tests(blocks: DataFrame, confidence: float) -> Metrics:
    deviations = np.concatenate(
        [
            (blocks[f"variance_{kind}"] - blocks[f"variance_{kind}_theory"]) / blocks[f"variance_{kind}_error"]
            for kind in ("rademacher", "gaussian")
        ]
    )
    return _test(np.abs(deviations), confidence)


def _test(deviations: Any, confidence: float) -> Metrics:
    count = len(deviations)
    limit, largest = quantile(confidence, max(count, 1)), float(np.max(deviations)) if count else None
    inside = int((deviations <= quantile(confidence)).sum())
    return {
        "comparisons": count,
        "covered": inside,
        "beyond": int((deviations > limit).sum()),
        "largest": largest,
        "limit": limit,
        "agrees": largest is None or largest <= limit,
    }


def _block_summary(row: Metrics, truncation: DataFrame, estimators: DataFrame, confidence: float) -> Metrics:
    errors = truncation[truncation["block"] == row["block"]]
    own = estimators[estimators["block"] == row["block"]].to_dict(orient="records")
    reach = quantile(confidence) * row["ratio_error"]
    copied = ("block", "kind", "dimension", "lipschitz", "norm", "radius", "log_det", "diagonal_fraction", "ratio")
    return {
        **{key: row[key] for key in copied},
        "ratio_interval": [row["ratio"] - reach, row["ratio"] + reach],
        "ratio_theory": row["ratio_theory"],
        "standard_deviation": math.sqrt(row["variance_rademacher_theory"]),
        "terms_needed": terms_needed(errors, SMALL_BIAS),
        "terms_by_bound": terms_by_bound(row["dimension"], row["lipschitz"], SMALL_BIAS),
        "small_bias": SMALL_BIAS,
        "truncations": [
            {"terms": int(one["expected_terms"]), "bias": one["bias_theory"], "error": one["bias_error"]}
            for one in own
            if one["family"] == "truncation"
        ],
        "roulettes": [_roulette_summary(one, errors) for one in own if one["family"] != "truncation"],
    }


def _roulette_summary(row: Metrics, errors: DataFrame) -> Metrics:
    finite = math.isfinite(row["variance_theory"])
    # Truncation at the same cost.
    rival = errors[errors["terms"] == round(row["expected_terms"])]
    bias = variance = even = None
    if len(rival):
        bias, variance = float(rival["error"].iloc[0]), float(rival["variance"].iloc[0])
        even = break_even(row["expected_terms"], row["variance_theory"], variance, bias)
    return {
        **{key: row[key] for key in ("estimator", "family", "expected_terms", "bias", "bias_error")},
        "standard_deviation": math.sqrt(row["variance"]),
        "standard_deviation_theory": math.sqrt(row["variance_theory"]) if finite else None,
        "truncation_bias": bias,
        "truncation_deviation": None if variance is None else math.sqrt(variance),
        "break_even": even,
    }


def _trained_summary(blocks: DataFrame, truncation: DataFrame, estimators: DataFrame) -> Metrics:
    """Adds up the layers of the flow, in bits/dim: biases add, and so do variances of independent probes."""
    images = blocks["block"].str.extract(r"image (\d+)")[0].nunique()
    dimension = int(blocks["dimension"].max())
    nats = dimension * math.log(2)
    own = truncation[truncation["kind"] == "trained"]
    errors = own.groupby("terms")["error"].sum() / images / nats
    bounds = own.groupby("terms")["bound"].sum() / images / nats
    layers = estimators[estimators["kind"] == "trained"].groupby("estimator", sort=False)
    variances = layers["variance_theory"].sum() / images
    rows = []
    for name, row in layers.first().iterrows():
        terms = int(row["expected_terms"]) if row["family"] == "truncation" else None
        rows.append(
            {
                "estimator": name,
                "expected_terms": float(row["expected_terms"]),
                # Bits cost the more the smaller the log-determinant is said to be.
                "bias": 0.0 if terms is None else -float(errors[terms]),
                "bound": 0.0 if terms is None else float(bounds[terms]),
                "noise": math.sqrt(variances[name]) / nats if math.isfinite(variances[name]) else None,
            }
        )
    return {
        "images": int(images),
        "layers": len(blocks) // int(images),
        "dimension": dimension,
        "lipschitz": float(blocks["lipschitz"].max()),
        **{
            name: [float(blocks[name].min()), float(blocks[name].max())]
            for name in ("norm", "radius", "diagonal_fraction")
        },
        "estimators": rows,
    }
