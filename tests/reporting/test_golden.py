"""The Markdown of six chapters, as a whole: what a change to findings or templates does to the report is seen in its diff.

`GOLDEN=write pytest tests/reporting/test_golden.py` accepts a change.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.reporting.test_chapters import content

GOLDEN = Path(__file__).parent / "golden.md"


def test_the_report_reads_as_it_did(metrics: dict[str, Any], png: bytes) -> None:
    chapters = content(metrics, png).chapters
    text = "\n".join(f"# {chapter.title}\n\n{chapter.finding}\n\n{chapter.markdown}" for chapter in chapters)
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
