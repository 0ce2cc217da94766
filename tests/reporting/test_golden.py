"""The Markdown of all chapters: what a change to findings or templates does to the report is seen in its diff.

`GOLDEN=write pytest tests/reporting/test_golden.py` accepts a change.
"""

import os
from pathlib import Path
from typing import Any

from fashion_dgm.reporting.compose import ANCHORS
from tests.reporting.conftest import written

GOLDEN = Path(__file__).parent / "golden.md"


def test_the_report_reads_as_it_did(metrics: dict[str, Any], figures: dict[str, bytes]) -> None:
    chapters = [written(anchor, metrics, figures) for anchor in ANCHORS]
    text = "\n".join(f"# {chapter.title}\n\n{chapter.finding}\n\n{chapter.markdown}" for chapter in chapters)
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
