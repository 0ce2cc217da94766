"""The tables of the chapter on estimates of the log-determinant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fashion_dgm.reporting.chapters.log_det_sentences import block_name
from fashion_dgm.reporting.report import TableBlock
from fashion_dgm.reporting.wording import number, plural, significant

__all__ = ["block_table", "roulette_table", "trained_table"]


def block_table(focus: Sequence[Mapping[str, Any]]) -> TableBlock:
    """Returns log-determinant, noise and bias by number of terms, a row a block."""
    shown = [one["terms"] for one in focus[0]["truncations"]] if focus else []
    return TableBlock(
        ("Block", "log det", "Noise of a probe", *(f"n = {terms}" for terms in shown)),
        tuple(
            (
                block_name(block),
                number(block["log_det"]),
                number(block["standard_deviation"]),
                *(_bias(one["bias"]) for one in block["truncations"]),
            )
            for block in focus
        ),
        "The log-determinant, the standard deviation of an estimate from one Rademacher probe, and the bias after n terms. "
        "All in nats and exact.",
        numeric=tuple(range(1, 3 + len(shown))),
    )


def trained_table(trained: Mapping[str, Any]) -> TableBlock:
    """Returns bias and noise of each estimator in the trained flow's bits/dim."""
    rows = tuple(
        (
            one["estimator"],
            f"{one['expected_terms']:g}",
            number(one["bias"], 5),
            significant(one["bound"], 2),
            "∞" if one["noise"] is None else number(one["noise"], 5),
        )
        for one in trained["estimators"]
    )
    return TableBlock(
        ("Estimator", "Terms", "Bias", "Bound of the bias", "Noise"),
        rows,
        "What the estimate does to the likelihood of the trained flow, in bits/dim, summed over its "
        f"{plural(trained['layers'], 'layer')} and averaged over {plural(trained['images'], 'image')}, from whole "
        "Jacobians. Noise: standard deviation with one "
        "probe of each layer and image; ∞ where it is infinite. A positive bias makes the flow look worse than it is.",
        numeric=(1, 2, 3, 4),
    )


def roulette_table(focus: Sequence[Mapping[str, Any]]) -> TableBlock:
    """Returns the standard deviation of each roulette, measured and in theory."""
    names = [one["estimator"] for one in focus[0]["roulettes"]] if focus else []
    by_block = [{one["estimator"]: one for one in block["roulettes"]} for block in focus]
    rows = []
    for name in names:
        cells = [f"{one['expected_terms']:g}" for one in focus[0]["roulettes"] if one["estimator"] == name]
        for found in by_block:
            one = found[name]
            theory = one["standard_deviation_theory"]
            cells.append(f"{number(one['standard_deviation'])} ({'∞' if theory is None else number(theory)})")
        rows.append((name, *cells))
    return TableBlock(
        ("Roulette", "Terms", *(block_name(block) for block in focus)),
        tuple(rows),
        "Standard deviation of one estimate in nats, from one Rademacher probe: measured and, in brackets, in theory; "
        "∞ where it is infinite. Terms: expected number, which is the cost in products.",
        numeric=tuple(range(1, 2 + len(focus))),
    )


def _bias(nats: float) -> str:
    return "< 0.001" if abs(nats) < 0.001 else significant(nats, 2)
