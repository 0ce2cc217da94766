"""The same inputs give the same report, on every machine and day."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from fashion_dgm.config.data import OODSetsConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.data.ood import PUBLISHED_SETS, build_sets
from fashion_dgm.data.ood.published import fetch_published
from fashion_dgm.findings.data import data
from fashion_dgm.reporting.chapter import render_chapter
from fashion_dgm.reporting.report import ReportContent, build_report

IMAGES = ImageSet(np.zeros((20, 1, 28, 28), np.uint8), np.arange(20, dtype=np.uint8) % 10, "fashion_mnist")
MNIST = replace(IMAGES, name="mnist")


@pytest.fixture
def config() -> OODSetsConfig:
    names = tuple(PUBLISHED_SETS)
    return OODSetsConfig(published=("mnist", *names), transforms=(), synthetic=(), folders={}, max_images=5, seed=0)


@pytest.mark.parametrize("download", [True, False])
def test_report_does_not_depend_on_what_the_network_says(
    metrics: dict[str, Any],
    png: bytes,
    config: OODSetsConfig,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    download: bool,
) -> None:
    monkeypatch.chdir(tmp_path)

    def report(error: Exception) -> str:
        monkeypatch.setattr("pooch.HTTPDownloader.__call__", Mock(side_effect=error))
        folder = Path("data/01_raw/not_there")
        fetch = {name: partial(fetch_published, PUBLISHED_SETS[name], folder, download) for name in PUBLISHED_SETS}
        _, summary = build_sets(IMAGES, IMAGES, MNIST, fetch, config)
        figures = {"example_images": png, "ood_set_examples": png}
        chapter = render_chapter("data", SimpleNamespace(data=data(metrics["data"], summary)), figures)
        return build_report(ReportContent("A report", (chapter,), figures=figures))

    found = {report(ConnectionError("[Errno -2] Name or service not known")), report(TimeoutError("timed out"))}
    (html,) = found
    assert "service not known" not in html and "timed out" not in html
    assert all(f"Put {published.file} " in html for published in PUBLISHED_SETS.values())
