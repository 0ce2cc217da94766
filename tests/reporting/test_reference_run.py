"""Chapters without results of their own show those of the reference run, and say so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kedro.io import DatasetError

from fashion_dgm.catalog.local import ReferenceRunDataset
from fashion_dgm.reporting import compose
from fashion_dgm.reporting.chapter import Chapter
from fashion_dgm.reporting.compose import ReferenceRun, fill

REFERENCE = ReferenceRun({"part": 1}, {"shown": b""}, {"": "Made by all.", "stability": "Made by a study."})


@pytest.fixture(autouse=True)
def rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "conclude", lambda metrics: metrics)
    monkeypatch.setattr(compose, "render_chapter", lambda anchor, *_: Chapter(anchor, anchor, "Text.", "A finding."))


def test_a_chapter_of_this_run_stays_as_it_is() -> None:
    own = Chapter("stability", "Stability", "Own text.", "Own finding.")
    assert fill(own, REFERENCE) is own


@pytest.mark.parametrize(("anchor", "about"), [("stability", "Made by a study."), ("log-det", "Made by all.")])
def test_an_empty_chapter_shows_whose_results_it_has(anchor: str, about: str) -> None:
    filled = fill(Chapter(anchor, "Title", "Nothing.", command="kedro run --pipelines some,report"), REFERENCE)
    assert about in filled.markdown
    assert "`kedro run --pipelines some,report`" in filled.markdown
    assert filled.markdown.endswith("Text.")
    assert filled.finding == "*Reference run:* A finding."


def test_the_folder_of_the_repository_is_read(tmp_path: Path, png: bytes) -> None:
    assert ReferenceRunDataset(filepath=str(tmp_path)).load() is None
    (tmp_path / "metrics.json").write_text('{"a": 1}')
    with pytest.raises(DatasetError, match="reference run"):
        ReferenceRunDataset(filepath=str(tmp_path)).load()
    (tmp_path / "about.json").write_text(json.dumps({"": "By a command."}))
    (tmp_path / "curve.png").write_bytes(png)
    assert ReferenceRunDataset(filepath=str(tmp_path)).load() == ReferenceRun(
        {"a": 1}, {"curve": png}, {"": "By a command."}
    )
    with pytest.raises(DatasetError, match="don't write"):
        ReferenceRunDataset(filepath=str(tmp_path)).save({})
