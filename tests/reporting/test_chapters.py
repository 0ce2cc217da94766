from __future__ import annotations

import copy
import re
from typing import Any

from fashion_dgm.findings.fid import fid
from fashion_dgm.reporting import chapters
from fashion_dgm.reporting.report import (
    BlockChapter,
    FigureBlock,
    NoteBlock,
    ReportContent,
    TableBlock,
    TextBlock,
    build_report,
)
from tests.reporting.conftest import with_nothing_finite

Metrics = dict[str, Any]


def every_chapter(metrics: Metrics, png: bytes) -> tuple[BlockChapter, ...]:
    return (
        chapters.data_chapter(metrics["data"], png),
        chapters.comparison_chapter(metrics, png),
    )


def report(metrics: Metrics, png: bytes) -> str:
    return build_report(
        ReportContent(
            "A report",
            every_chapter(metrics, png),
            highlights=chapters.highlights(flow=metrics["flow"], ood=metrics["ood"], fid=fid(metrics["fid"])),
        )
    )


def text_of(chapter: BlockChapter) -> str:
    """All prose of a chapter, a paragraph a line, without tables."""
    lines = list(chapter.intro)
    for block in chapter.blocks:
        if isinstance(block, TextBlock | NoteBlock):
            lines += block.paragraphs
        elif isinstance(block, FigureBlock):
            lines += [block.caption, block.alt]
    return "\n".join(lines)


def tables_of(chapter: BlockChapter) -> list[TableBlock]:
    return [block for block in chapter.blocks if isinstance(block, TableBlock)]


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
    for split in metrics["data"]["splits"].values():
        del split["per_class"], split["sha256"]
    del metrics["data"]["splits"]["benchmark"]
    for entry in (metrics["ood"]["in_distribution"], metrics["ood"]["sets"]["mnist"]):
        del entry["bits_per_dim_sd"]
    del metrics["ood"]["sets"]["mnist"]["auroc_interval"], metrics["ood"]["sets"]["mnist"]["aupr_interval"]
    del metrics["ood"]["score"]
    assert "RealNVP" in report(metrics, png)


# Data


def test_split_is_told_with_its_shares_and_classes(metrics: Metrics, png: bytes) -> None:
    text = text_of(chapters.data_chapter(metrics["data"], png))
    assert "48,000 for training (80%) and 12,000 held out (20%)" in text
    assert "every class has the same number" in text
    metrics["data"]["splits"]["test"]["per_class"][0] = 1_000
    assert "held-out (1,000 to 1,200 images a class)" in text_of(chapters.data_chapter(metrics["data"], png))


def test_pooled_test_images_are_not_called_untouched(metrics: Metrics, png: bytes) -> None:
    assert "neither training nor" in text_of(chapters.data_chapter(metrics["data"], png))
    assert "22,000 others" in chapters.data_chapter(metrics["data"], png).finding
    metrics["data"]["pool"] = "all"
    text = text_of(chapters.data_chapter(metrics["data"], png))
    assert "neither training nor" not in text
    assert "no figure here compares with published ones" in text
    assert "12,000 others" in chapters.data_chapter(metrics["data"], png).finding


def test_every_set_from_elsewhere_is_told_of(metrics: Metrics, png: bytes, ood_sets: Metrics) -> None:
    chapter = chapters.data_chapter(metrics["data"], png, ood_sets, png)
    _, there = tables_of(chapter)
    assert [row[0] for row in there.rows] == ["MNIST", "mine", "black images"]
    assert there.rows[1] == ("mine", "pictures/mine; colour to grey", "30", "`4b4b4b4b4b4b`")
    assert there.rows[0][1] == "MNIST, official test images" and there.rows[2][2] == "256, all alike"
    text = text_of(chapter)
    assert "KMNIST: no network. Put it there" in text and "damaged: a.png is damaged" in text
    assert "there are 3\u00a0sets" in text and "mine: 50.0% of the images are exact copies" in text
    # Without a note or an absent set, nothing is said of any.
    ood_sets["sets"] = {"mnist": ood_sets["sets"]["mnist"]}
    chapter = chapters.data_chapter(metrics["data"], png, ood_sets, png)
    assert "copies" not in text_of(chapter) and "could not be had" not in text_of(chapter)


# Summary


def test_every_chapter_has_a_finding_for_the_summary(metrics: Metrics, png: bytes) -> None:
    findings = [chapter.finding for chapter in every_chapter(metrics, png)]
    assert all(findings) and len(set(findings)) == len(findings)
    html = report(metrics, png)
    summary = html[html.index('id="summary"') : html.index('id="data"')]
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
