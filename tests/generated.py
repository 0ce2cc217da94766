"""Parts of Markdown files that tests write: with `GOLDEN=write` in the environment, anew."""

import os
from pathlib import Path


def is_current(path: Path, name: str, text: str) -> bool:
    """Whether the part of a file between the two comments of this name is `text`; writes it first where asked to."""
    begin, end = f"<!-- Begin of {name}: GOLDEN=write pytest tests/test_pages.py -->", f"<!-- End of {name}. -->"
    before, rest = path.read_text(encoding="utf-8").split(begin)
    found, after = rest.split(end)
    if os.environ.get("GOLDEN") == "write":
        found = text
        path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
    return found.strip() == text
