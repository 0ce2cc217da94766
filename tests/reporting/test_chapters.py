from __future__ import annotations

import copy
import re
from types import SimpleNamespace
from typing import Any

import pytest

from fashion_dgm.findings.data import data
from fashion_dgm.findings.fid import fid
from fashion_dgm.findings.flow import flow, with_benchmark
from fashion_dgm.findings.gan import gan
from fashion_dgm.findings.ood import ood
from fashion_dgm.findings.published import published
from fashion_dgm.reporting.chapter import render_chapter
from fashion_dgm.reporting.highlights import highlights
from fashion_dgm.reporting.report import ReportContent, build_report
from tests.reporting.conftest import with_nothing_finite

Metrics = dict[str, Any]
ANCHORS = ("data", "flow", "ood", "gan", "fid", "published")


def content(metrics: Metrics, png: bytes) -> ReportContent:
    """The chapters that need no other pipelines."""
    measured = with_benchmark(metrics)
    findings: Any = SimpleNamespace(
        data=data(metrics["data"], metrics["ood_sets"]),
        flow=flow(measured["flow"]),
        ood=ood(metrics),
        gan=gan(metrics["gan"]),
        fid=fid(metrics["fid"]),
        published=published(measured),
    )
    drawn = "".join(render_chapter(anchor, findings, {}).markdown for anchor in ANCHORS)
    figures = dict.fromkeys(re.findall(r"::: figure (\w+)", drawn), png)
    return ReportContent(
        "A report",
        tuple(render_chapter(anchor, findings, figures) for anchor in ANCHORS),
        figures=figures,
        highlights=highlights(findings),
    )


def test_order_of_keys_and_rows_does_not_matter(metrics: Metrics, png: bytes) -> None:
    def turned(value: Any) -> Any:
        return {k: turned(value[k]) for k in reversed(value)} if isinstance(value, dict) else value

    other = turned(copy.deepcopy(metrics))
    other["fid"]["rows"] = other["fid"]["rows"][::-1]
    assert build_report(content(other, png)) == build_report(content(metrics, png))


def test_values_that_are_not_finite_are_never_printed(metrics: Metrics, png: bytes) -> None:
    broken = with_nothing_finite(metrics)
    broken["ood"]["least_difference"] = 0.01  # a parameter
    text = "".join(chapter.markdown + chapter.finding for chapter in content(broken, png).chapters)
    assert re.search(r"\b(nan|inf)\b", re.sub(r"\$[^$]+\$", "", text), re.IGNORECASE) is None


def test_every_chapter_has_a_finding_for_the_summary(metrics: Metrics, png: bytes) -> None:
    findings = [chapter.finding for chapter in content(metrics, png).chapters]
    assert all(findings) and len(set(findings)) == len(findings)
    # About a minute of reading for twice as many chapters.
    assert len(" ".join(findings).split()) < 250


@pytest.mark.parametrize("anchor", ANCHORS)
def test_every_chapter_has_a_figure_and_a_table(metrics: Metrics, png: bytes, anchor: str) -> None:
    (chapter,) = (chapter for chapter in content(metrics, png).chapters if chapter.anchor == anchor)
    assert "::: figure" in chapter.markdown and "::: table" in chapter.markdown


def test_highlights_are_of_likelihood_detection_and_sample_quality(metrics: Metrics, png: bytes) -> None:
    values = [highlight.value for highlight in content(metrics, png).highlights]
    assert values == ["3.10", "0.100", "0.995", "40.0", "30.0"]
