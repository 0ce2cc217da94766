"""The generated part of `docs/results/performance.md`."""

from __future__ import annotations

from pathlib import Path

from benchmarks.hardware import ROOT
from benchmarks.results import load_all, markdown

__all__ = ["PAGE", "update"]

PAGE = ROOT / "docs" / "results" / "performance.md"
BEGIN = "<!-- Begin of tables: `python -m benchmarks --page` writes them. -->"
END = "<!-- End of tables. -->"


def update(page: Path = PAGE) -> None:
    """Puts everything saved between the markers of `page`.

    Raises:
        ValueError: if a marker is missing.
    """
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    page.write_text(f"{before}{BEGIN}\n\n{markdown(load_all())}\n{END}{after}", encoding="utf-8")
