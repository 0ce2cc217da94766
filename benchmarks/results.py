"""What a benchmark found: rows of a table, kept as JSON by hardware."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.hardware import ROOT, commit, describe, slug
from benchmarks.timing import Comparison

__all__ = ["FOLDER", "Row", "compared", "load_all", "markdown", "measured", "plain", "save", "update_page"]

FOLDER = Path(__file__).parent / "results"
PAGE = ROOT / "docs" / "results" / "performance.md"
BEGIN = "<!-- Begin of tables: `python -m benchmarks --page` writes them. -->"
END = "<!-- End of tables. -->"
HEADINGS = ("what", "ours", "reference", "ratio (per round)", "goal", "")


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Arguments:
        what: was measured.
        ours: the value of this project, in `unit`; None if it could not be taken.
        unit: of both values.
        reference: the value of the reference, if there is one.
        ratio: how many times better ours is: the ratio of medians, and the least and greatest within a round.
        goal: in words, if there is one.
        met: whether the goal was reached; None without a goal.
        note: what a reader has to know of this line.
    """

    what: str
    ours: float | None
    unit: str
    reference: float | None = None
    ratio: tuple[float, float, float] | None = None
    goal: str | None = None
    met: bool | None = None
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        """Returns the texts of the columns `HEADINGS`."""
        verdict = "" if self.met is None else "met" if self.met else "MISSED"
        ratio = "" if self.ratio is None else "{}x ({} to {})".format(*map(_figures, self.ratio))
        ours, reference = (
            "" if value is None else f"{_figures(value)} {self.unit}".strip() for value in (self.ours, self.reference)
        )
        return self.what, ours, reference, ratio, self.goal or "", verdict


def compared(
    what: str,
    comparison: Comparison,
    ours: str,
    reference: str,
    *,
    items: float | None = None,
    at_least: float | None = None,
) -> Row:
    """Returns the row of one contestant against another.

    Arguments:
        items: how many images each handled; the row then shows images a second and else seconds.
        at_least: the goal for the ratio.
    """

    def value(name: str) -> float:
        seconds = comparison.median(name)
        return seconds if items is None else items / seconds

    ratio = comparison.speedup(ours, reference)
    return Row(
        what,
        value(ours),
        "s" if items is None else "images/s",
        value(reference),
        ratio,
        None if at_least is None else f">= {at_least:g}x",
        None if at_least is None else ratio[0] >= at_least,
    )


def measured(what: str, value: float, unit: str, *, at_most: float | None = None) -> Row:
    """Returns the row of a value that stands alone, with the goal `at_most` if there is one."""
    return Row(
        what,
        value,
        unit,
        goal=None if at_most is None else f"<= {at_most:g}",
        met=None if at_most is None else value <= at_most,
    )


def save(name: str, title: str, rows: Iterable[Row], device: str, quick: bool, folder: Path = FOLDER) -> Path:
    """Writes the rows of benchmark `name` into the file of this hardware, and leaves the file's other benchmarks alone.

    Arguments:
        device: the torch device that was asked for: a machine with a GPU has a file for each kind.
        quick: whether fewer rounds were run.
    """
    found = describe(device)
    path = folder / f"{slug(found)}.json"
    kept = json.loads(path.read_text(encoding="utf-8"))["benchmarks"] if path.exists() else {}
    kept[name] = {"title": title, "commit": commit(), "quick": quick, "rows": [asdict(row) for row in rows]}
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"hardware": found, "benchmarks": kept}, indent=1) + "\n", encoding="utf-8")
    return path


def load_all(folder: Path = FOLDER) -> list[dict[str, Any]]:
    """Returns what is saved, a dictionary for each hardware, in the order of file names."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    # The folder also holds results of another form.
    return [result for result in found if "benchmarks" in result]


def plain(rows: Iterable[Row]) -> str:
    """Returns rows as a table for a terminal."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def markdown(saved: Iterable[Mapping[str, Any]]) -> str:
    """Returns everything saved as Markdown: a section for each hardware, a table for each benchmark."""
    parts = []
    for result in saved:
        hardware = result["hardware"]
        parts.append(f"## {hardware['name']}")
        parts.append(", ".join(f"{key} {value}" for key, value in hardware.items() if key != "name") + ".")
        for benchmark in result["benchmarks"].values():
            parts.append(f"### {benchmark['title']}")
            lines = ["| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
            rows = [Row(**row) for row in benchmark["rows"]]
            lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
            parts.append("\n".join(lines))
            notes = [f"- {row.what}: {row.note}" for row in rows if row.note]
            parts += ["\n".join(notes)] if notes else []
            quick = ", with fewer rounds (`--quick`)" if benchmark["quick"] else ""
            parts.append(f"Commit {benchmark['commit']}{quick}.")
    return "\n\n".join(parts) + "\n"


def update_page(page: Path = PAGE) -> None:
    """Puts everything saved between the markers of `page`.

    Raises:
        ValueError: if a marker is missing.
    """
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    page.write_text(f"{before}{BEGIN}\n\n{markdown(load_all())}\n{END}{after}", encoding="utf-8")


def _figures(value: float) -> str:
    """Three significant digits, without an exponent where that is readable."""
    if abs(value) < 1e9 and value == round(value):
        return f"{value:,.0f}"
    if 1e-3 <= abs(value) < 1e9:
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 4
        return f"{value:,.{digits}f}"
    return f"{value:.1e}"
