from __future__ import annotations

import copy
import re
from typing import Any

from fashion_dgm.findings.fid import fid
from fashion_dgm.reporting import chapters
from fashion_dgm.reporting.report import (
    BlockChapter,
    ReportContent,
    build_report,
)
from tests.reporting.conftest import with_nothing_finite

Metrics = dict[str, Any]


def every_chapter(metrics: Metrics, png: bytes) -> tuple[BlockChapter, ...]:
    return (chapters.comparison_chapter(metrics, png),)


def report(metrics: Metrics, png: bytes) -> str:
    return build_report(
        ReportContent(
            "A report",
            every_chapter(metrics, png),
            highlights=chapters.highlights(flow=metrics["flow"], ood=metrics["ood"], fid=fid(metrics["fid"])),
        )
    )


def test_report_of_one_epoch_is_the_same_twice(metrics: Metrics, png: bytes) -> None:
    first = report(metrics, png)
    assert first == report(copy.deepcopy(metrics), png)


def test_order_of_keys_and_rows_does_not_matter(metrics: Metrics, png: bytes) -> None:
    def turned(value: Any) -> Any:
        return {k: turned(value[k]) for k in reversed(value)} if isinstance(value, dict) else value

    other = turned(metrics)
    other["fid"]["rows"] = other["fid"]["rows"][::-1]
    assert report(other, png) == report(metrics, png)


def test_values_that_are_not_finite_lead_to_no_conclusion(metrics: Metrics, png: bytes) -> None:
    broken = with_nothing_finite(metrics)
    html = report(broken, png)
    assert re.search(r"\b(nan|inf)\b", re.sub(r"base64,[^\"]*", "", html), re.IGNORECASE) is None


def test_optional_keys_may_be_absent(metrics: Metrics, png: bytes) -> None:
    for entry in (metrics["ood"]["in_distribution"], metrics["ood"]["sets"]["mnist"]):
        del entry["bits_per_dim_sd"]
    del metrics["ood"]["sets"]["mnist"]["auroc_interval"], metrics["ood"]["sets"]["mnist"]["aupr_interval"]
    del metrics["ood"]["score"]
    assert "RealNVP" in report(metrics, png)


# Summary


def test_every_chapter_has_a_finding_for_the_summary(metrics: Metrics, png: bytes) -> None:
    findings = [chapter.finding for chapter in every_chapter(metrics, png)]
    assert all(findings) and len(set(findings)) == len(findings)
    html = report(metrics, png)
    summary = html[html.index('id="summary"') : html.index('id="published"')]
    assert summary.count("<li>") == len(findings)
    # About a minute of reading for twice as many chapters; both feature spaces are told of here.
    assert len(" ".join(findings).split()) < 180


def test_every_chapter_on_a_model_has_figure_table_and_caveat(metrics: Metrics, png: bytes) -> None:
    for chapter in every_chapter(metrics, png)[1:]:
        kinds = {block.kind for block in chapter.blocks}
        caveat = "note" in kinds or any(
            b.kind == "text" and b.heading.startswith("How to read") for b in chapter.blocks
        )
        assert {"figure", "table"} <= kinds, chapter.anchor
        assert caveat, chapter.anchor


def test_highlights_speak_only_of_what_there_is(metrics: Metrics) -> None:
    assert chapters.highlights() == ()
    assert [highlight.value for highlight in chapters.highlights(flow=metrics["flow"], ood=metrics["ood"])] == [
        "3.11",
        "0.100",
        "0.995",
    ]
