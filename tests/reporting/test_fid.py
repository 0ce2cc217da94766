from __future__ import annotations

import math
import re
from types import SimpleNamespace
from typing import Any

from fashion_dgm.findings.fid import fid
from fashion_dgm.reporting.chapter import Chapter, render_chapter
from fashion_dgm.reporting.highlights import highlights_of_distances
from fashion_dgm.reporting.markdown import Counter, to_html
from tests.findings.test_fid import measured


def written(metrics: dict[str, Any]) -> Chapter:
    return render_chapter("fid", SimpleNamespace(fid=fid(metrics)), {"fid_curves": b""})


def with_quality(metrics: dict[str, Any], *rows: dict[str, Any]) -> dict[str, Any]:
    sizes = {"seed": 0, "neighbours": 5, "kid": {"subsets": 100}, "extrapolation_groups": 20}
    return metrics["fid"] | sizes | {"quality": [*rows, measured("test", "floor"), measured("train", "training")]}


def test_every_measure_stands_in_a_table(metrics, png) -> None:
    chapter = written(with_quality(metrics, measured("gan", "best"), measured("mine", "external", kid=None)))
    assert "WGAN is ahead of the GAN, 30.00 compared with 40.00" in chapter.finding
    assert "| mine (external) | 2,000 | 10.00 | 9.50 ± 0.10 | n/a |" in chapter.markdown
    assert chapter.markdown.count("| **Held-out images") == 4
    html = to_html(chapter.markdown, {"fid_curves": png}, Counter())
    assert html.count('class="emphasised"') == 4 and html.count("<details") == 3 and "<math" in html


def test_classifier_distance_is_never_called_fid(metrics) -> None:
    distances = metrics["fid"]
    distances["rows"] = [row for row in distances["rows"] if row["feature_space"] == "classifier"]
    del distances["feature_spaces"]["inception"], distances["floor"]["inception"]
    distances["feature_spaces"]["classifier"]["label"] = "FID"
    chapter = written(distances | {"missing": ["weights *not* found"]})
    assert "No FID in this report" in chapter.markdown and r"weights \*not\* found" in chapter.markdown
    assert not re.search(r"^\|.*\bFID\b", chapter.markdown, re.MULTILINE)
    assert chapter.finding.endswith("FID itself was not computed.")
    assert "lucic-2018" not in chapter.cited
    assert all("FID" not in highlight.label for highlight in highlights_of_distances(fid(distances)))


def test_notes_stand_only_where_there_is_something_to_note(metrics) -> None:
    distances = with_quality(metrics, measured("mine", "external"))
    assert "::: note Not scored" not in written(distances).markdown
    distances |= {
        "failures": [{"model": "gan", "epoch": 3, "reason": "it has diverged"}],
        "conversions": {"mine": "colour to grey", "other": "none"},
        "warnings": ["N = 2000 is small."],
    }
    text = written(distances).markdown.replace("\\", "")
    assert "- GAN, epoch 3: it has diverged" in text and "N = 2000 is small." in text
    assert "- mine: colour to grey" in text and "other" not in text[: text.index("::: figure")]
    assert "ours, from 2,000, are too high" in text
    assert "too high" not in written(distances | {"samples": 10_000}).markdown


def test_external_samples_alone_make_a_chapter(metrics) -> None:
    distances = with_quality(metrics, measured("mine", "external")) | {"rows": []}
    assert "no snapshot of a model trained here was scored" in written(distances).markdown
    assert list(highlights_of_distances(fid(distances))) == []


def test_from_values_that_are_not_finite_nothing_is_concluded(metrics) -> None:
    distances = with_quality(metrics, measured("gan", "best"), measured("wgan", "best"))
    for row in (*distances["rows"], *distances["quality"], distances["floor"]):
        row |= {key: math.nan for key, value in row.items() if isinstance(value, float)}
    chapter = written(distances)
    text = chapter.finding + chapter.markdown
    assert "cannot be ranked" in chapter.finding
    assert re.search(r"\b(nan|inf|None|is ahead of|test images: the floor\.)(?!\w)", text) is None


def test_what_older_results_lack_may_be_absent(metrics) -> None:
    distances = metrics["fid"]
    for key in ("missing", "warnings", "feature_spaces", "floor"):
        del distances[key]
    for row in distances["rows"]:
        del row["best_on_benchmark"], row["last_on_benchmark"]
    assert "on held-out images" in written(distances).finding
