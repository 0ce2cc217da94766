"""The table of main results in README and documentation is that of `docs/results/headline.json`.

`GOLDEN=write pytest tests/test_headline.py` writes it anew.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
ROWS: list[dict[str, Any]] = json.loads((ROOT / "docs" / "results" / "headline.json").read_text(encoding="utf-8"))
FIELDS = (
    *("model", "configuration", "metric", "features", "split", "n", "seeds", "mean", "sd"),
    *("epochs", "hardware", "commit", "command", "published", "page"),
)
BEGIN, END = (
    "<!-- Begin of the main results: tests/test_headline.py writes them. -->",
    "<!-- End of the main results. -->",
)


def table(root: str) -> str:
    """Returns the rows as Markdown, with links to pages below `root`."""
    columns = ("model", "metric, on the official test images", "result", "published", "epochs, seeds", "run")
    rows = [columns, ("---",) * len(columns), *(cells(row, root) for row in ROWS)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def cells(row: dict[str, Any], root: str) -> tuple[str, ...]:
    spread = "" if row["sd"] is None else f" ± {row['sd']}"
    seeds = f"{len(row['seeds'])} seed{'s' * (len(row['seeds']) > 1)}"
    return (
        f"{row['model']}, {row['configuration']}",
        row["metric"],
        f"{row['mean']}{spread}",
        row["published"] or "",
        seeds if row["epochs"] is None else f"{row['epochs']}, {seeds}",
        f"[`{row['commit']}`]({root}{row['page']})",
    )


@pytest.mark.parametrize(("page", "root"), [("README.md", "docs/"), ("docs/index.md", "")])
def test_page_has_the_table(page: str, root: str) -> None:
    path = ROOT / page
    before, rest = path.read_text(encoding="utf-8").split(BEGIN)
    found, after = rest.split(END)
    if os.environ.get("GOLDEN") == "write":
        found = f"\n\n{table(root)}\n\n"
        path.write_text(f"{before}{BEGIN}{found}{END}{after}", encoding="utf-8")
    assert found.strip() == table(root)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['model']}, {row['metric']}")
def test_row_is_complete_and_on_its_page(row: dict[str, Any]) -> None:
    assert tuple(row) == FIELDS
    assert re.fullmatch("[0-9a-f]{7,40}", row["commit"]) and row["seeds"] and row["n"] and row["command"]
    path, _, section = row["page"].partition("#")
    text = (ROOT / "docs" / path).read_text(encoding="utf-8")
    assert str(row["mean"]) in text and row["commit"] in text
    assert section in re.sub(r"[^a-z0-9\n]+", "-", text.lower())
