"""The tables of the chapter on what the likelihood is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fashion_dgm.reporting.report import TableBlock
from fashion_dgm.reporting.wording import (
    count,
    dataset_name,
    interval,
    is_number,
    number,
    part_name,
    part_order,
    percent,
)

__all__ = ["complexity_table", "gap_table"]


def gap_table(gap: Mapping[str, Any], ours: str, theirs: str, confidence: float | None) -> TableBlock:
    """Returns the gap by term, with intervals and shares."""
    rows = [
        (part_name(name), _with_interval(part, "difference"), _share(part))
        for name, part in ((name, gap["parts"][name]) for name in part_order(gap["parts"]))
    ]
    total = ("sum", _with_interval(gap, "difference"), "")
    return TableBlock(
        ("Term", "Bits/dim", "Share of the gap"),
        (*rows, total),
        f"{theirs} minus {ours}, term by term: negative where {theirs} is cheaper. In brackets: {percent(confidence)} "
        "bootstrap intervals over images. ActNorm's log-determinant is the same for every image.",
        numeric=(1, 2),
        emphasised=(len(rows),),
    )


def complexity_table(metrics: Mapping[str, Any], inside: str) -> TableBlock:
    """Returns what each set costs, how complicated it is, and what complexity alone would predict."""
    names = sorted(metrics["sets"], key=lambda name: (name != inside, name))
    rows = []
    for name in names:
        entry = metrics["sets"][name]
        line, rank = entry.get("line", {}).get("png_bits"), entry["spearman"]["png_bits"]
        rows.append(
            (
                dataset_name(name),
                count(entry["images"]),
                number(entry.get("bits_per_dim")),
                number(entry["complexity"].get("png_bits")),
                number(entry["complexity"].get("total_variation"), 1),
                percent(entry["complexity"].get("black_share")),
                number(line["predicted"]) if line else "",
                number(rank["value"]) if is_number(rank["value"]) else "",
            )
        )
    return TableBlock(
        ("Set", "Images", "Bits/dim", "PNG", "Variation", "Black", "By PNG", "Rank corr."),
        tuple(rows),
        "Cost and complexity: bits/dim under the flow; bits/pixel as a PNG file; mean difference of neighbouring pixels, in "
        f"grey levels; share of black pixels; the bits/dim that the line through {dataset_name(inside)} predicts from "
        "the PNG file; the rank correlation of the two within the set, where they vary.",
        numeric=(1, 2, 3, 4, 5, 6, 7),
    )


def _with_interval(entry: Mapping[str, Any], key: str) -> str:
    return f"{number(entry.get(key), 3)} {interval(entry.get(f'{key}_interval'))}".strip()


def _share(part: Mapping[str, Any]) -> str:
    if not is_number(part.get("share")):
        return ""
    low, high = part["share_interval"]
    return f"{percent(part['share'])} [{percent(low)}, {percent(high)}]"
