"""The table in the documentation of what became of how many attacks."""

import datetime
import logging
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import ROOT

__all__ = ["Counts", "write"]

BAD = ("traceback", "silent", "lost", "executed")
OUTCOMES = ("refused", "recovered", "harmless", *BAD)
MARK = "<!-- faults -->"

logger = logging.getLogger(__name__)


class Counts:
    """The number of each outcome by attack, which is a group and a kind, such as `damaged: tables`; and the bad ones."""

    def __init__(self) -> None:
        self.rows: dict[str, Counter[str]] = {}
        self.bad: list[str] = []

    def add(self, attack: str, outcome: str, detail: str) -> None:
        self.rows.setdefault(attack, Counter())[outcome] += 1
        logger.info("%s: %s: %s", attack, outcome, detail if outcome in BAD else detail.splitlines()[0])
        if outcome in BAD:
            self.bad.append(f"{outcome}: {detail}")

    @property
    def tried(self) -> int:
        return sum(row.total() for row in self.rows.values())


def write(page: Path, found: Mapping[str, Counter[str]]) -> None:
    """Replaces the rows of the groups of `found` in the table of `page`, and the sums beneath it."""
    before, table, after = page.read_text(encoding="utf-8").split(MARK)
    groups = {group_of(attack) for attack in found}
    rows = [cells(line) for line in table.strip().splitlines()[2:-1]]
    rows = [row for row in rows if group_of(row[0]) not in groups]
    git = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    made = [f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}", f"`{commit}`"]
    rows += [
        [attack, str(row.total()), *(str(row[outcome]) for outcome in OUTCOMES), *made] for attack, row in found.items()
    ]
    rows.sort(key=lambda row: group_of(row[0]))
    sums = [str(sum(int(row[1 + place]) for row in rows)) for place in range(1 + len(OUTCOMES))]
    head = ["attack", "tried", *OUTCOMES, "date", "commit"]
    lines = [head, ["---"] * len(head), *rows, ["**all**", *sums, "", ""]]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    page.write_text(f"{before}{MARK}\n{text}\n{MARK}{after}", encoding="utf-8")


def group_of(attack: str) -> str:
    return attack.partition(":")[0]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]
