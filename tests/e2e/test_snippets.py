"""The Python that README and the guides show runs in the folder of a finished run."""

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.e2e.command import python

# Own files, which the guides add to the project, have a title; `test_how_to.py` runs those.
SNIPPET = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
PAGES = {
    "README.md": {},
    "docs/models.md": {},
    "docs/how-to/data.md": {},
    "docs/how-to/library.md": {},
    "docs/how-to/mlflow.md": {},
    "docs/how-to/score-samples.md": {
        "/path/to/samples": "data/05_model_input/test.npz",
        "subset_size=1000": "subset_size=20",
    },
}


def snippets(page: str) -> str:
    found = SNIPPET.findall((ROOT / page).read_text(encoding="utf-8"))
    assert found
    return "\n".join(found)


def test_no_page_is_forgotten() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "how-to").glob("*.md")]
    assert {str(page.relative_to(ROOT)) for page in pages if SNIPPET.search(page.read_text(encoding="utf-8"))} == set(
        PAGES
    )


@pytest.mark.parametrize("page", PAGES)
def test_it_runs(page: str, finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEDRO_ENV", "test")
    monkeypatch.setenv("MPLBACKEND", "agg")
    code = snippets(page)
    for shown, small in PAGES[page].items():
        assert shown in code
        code = code.replace(shown, small)
    done = python(finished, "-c", code)
    assert done.returncode == 0, done.stderr
