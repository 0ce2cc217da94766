from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting.chapter import Chapter
from fashion_dgm.reporting.claims import Claim, link_to
from fashion_dgm.reporting.report import Highlight, ReportContent, build_report

HOSTILE = "<script>alert('x')</script> & \"quotes\""
VOID = {"meta", "link", "img", "br", "wbr"}


class Page(HTMLParser):
    """Collects what a browser would act on, and checks that every tag is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID and not tag.startswith("mspace"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture
def content(png: bytes) -> ReportContent:
    figure = "::: figure shown\nWhat it shows.\n\n{}\n:::\n\n"
    table = "::: table\nNumbers.\n\n| name | value |\n|---|--:|\n| a | 1 |\n:::\n\n"
    return ReportContent(
        title="A title",
        summary=Chapter("summary", "Questions", "First finding, in [1](#one).\n", cited=("dinh-2017",)),
        chapters=(
            Chapter("one", "One", figure.format("A caption.") + table, cited=("xiao-2017", "burda-2016")),
            Chapter("two", "Two", figure.format("Again."), cited=("xiao-2017",)),
            Chapter("three", "Three", "", command="kedro run"),
        ),
        figures={"shown": png},
        configuration={"b": {"y": None, "x": [1, 2.5e-4], "flag": True}, "a": {"deep": {"er": "text"}}, "seed": 0},
        how_to_reproduce=("make install", "kedro run"),
        highlights=(Highlight("2.99", "bits/dim", "published: 2.944"),),
    )


def test_page_needs_nothing_but_itself(content: ReportContent) -> None:
    page = Page(build_report(content))
    for _, attributes in page.tags:
        for name in ("src", "href", "srcset", "action", "poster", "data"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:")), value
    assert page.all("script") == []
    assert all(not name.startswith("on") for _, attributes in page.tags for name in attributes)
    html = build_report(content)
    assert "@import" not in html
    assert "url(" not in html
    assert "http" not in html.replace("http-equiv", "")


def test_links_to_the_repository_stand_under_their_chapter(content: ReportContent) -> None:
    claim = Claim("It holds", "docs/theory/gan.md", "tests/t.py#test_it", "src/c.py#do")
    html = build_report(replace(content, claims={"two": (claim,)}, links="https://example.org/tree"))
    assert html.index("tests/t.py#test_it") > html.index('id="two"')
    links = [link["href"] for link in Page(html).all("a") if not (link["href"] or "").startswith("#")]
    assert links == [f"https://example.org/tree/{target}" for target in (claim.page, claim.test, claim.code)]
    assert "tests/t.py::test_it" in Page(html).text.replace("\u200b", "")


@pytest.mark.parametrize(
    ("target", "root", "link"),
    [
        ("docs/theory/gan.md#the-optimal-discriminator", "../..", "../../docs/theory/gan.md#the-optimal-discriminator"),
        (
            "docs/theory/gan.md#the-optimal-discriminator",
            "../../site/",
            "../../site/theory/gan.html#the-optimal-discriminator",
        ),
        (
            "tests/a/test_b.py#test_c",
            "https://example.org/site",
            "https://example.org/site/source/tests/a/test_b.html#test_c",
        ),
        ("src/a/b.py", "../../site", "../../site/source/src/a/b.html"),
    ],
)
def test_links_start_at_the_given_root(target: str, root: str, link: str) -> None:
    assert link_to(target, root) == link


def test_every_image_has_a_text_and_a_size(content: ReportContent) -> None:
    images = Page(build_report(content)).all("img")
    assert [image["alt"] for image in images] == ["What it shows.", "What it shows."]
    assert all(int(image["width"] or 0) > 0 and int(image["height"] or 0) > 0 for image in images)


def test_ids_are_unique_and_every_link_leads_somewhere(content: ReportContent) -> None:
    page = Page(build_report(content))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {(link["href"] or "").removeprefix("#") for link in page.all("a")}
    assert {"one", "two", "configuration", "reproduce", "references"} <= targets <= set(ids)
    labels = {attributes["aria-labelledby"] for _, attributes in page.tags if "aria-labelledby" in attributes}
    assert labels <= set(ids)


def test_equal_content_gives_equal_bytes_whatever_the_order_of_mappings(content: ReportContent) -> None:
    def turned(value: Any) -> Any:
        return {k: turned(value[k]) for k in reversed(value)} if isinstance(value, dict) else value

    again = replace(content, configuration=turned(content.configuration))
    assert build_report(content) == build_report(content) == build_report(again)


def test_figures_and_tables_are_numbered_through_the_report(content: ReportContent) -> None:
    text = Page(build_report(content)).text
    assert "Figure 1. A caption." in text
    assert "Figure 2. Again." in text
    assert "Table 1. Numbers." in text


def test_parameters_are_shown_sorted_and_as_in_yaml(content: ReportContent) -> None:
    page = Page(build_report(content))
    shown = page.text[page.text.index("The parameters that made") :]
    words = [word for word in shown.split("How to reproduce")[0].split("\n") if word][1:]
    assert words == ["general", "seed0", "a", "deep.ertext", "b", "flagtrue", "x[1, 0.00025]", "ynull"]


def test_references_appear_once_and_in_order(content: ReportContent) -> None:
    assert content.references == ("burda-2016", "dinh-2017", "xiao-2017")


def test_parts_that_are_empty_are_left_out() -> None:
    page = Page(build_report(ReportContent("t", ())))
    assert {attributes.get("id") for attributes in page.all("section")} == {"summary"}
    assert page.all("dl") == page.all("details") == []


def test_wide_parts_scroll_within_themselves_and_can_be_reached_by_keyboard(content: ReportContent) -> None:
    page = Page(build_report(content))
    regions = [div for div in page.all("div") if div.get("class") == "scroll"]
    assert [region["aria-labelledby"] for region in regions] == ["figure-1", "table-1", "figure-2"]
    assert all((region["role"], region["tabindex"]) == ("region", "0") for region in regions)


def test_page_adapts_to_dark_rooms_small_screens_and_paper(content: ReportContent) -> None:
    html = build_report(content)
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html
    assert 'name="viewport"' in html


def test_text_is_escaped_wherever_it_stands() -> None:
    content = ReportContent(
        title=HOSTILE,
        chapters=(Chapter("one", HOSTILE, f"{HOSTILE}\n\n`{HOSTILE}`"),),
        configuration={HOSTILE: {HOSTILE: HOSTILE}},
        how_to_reproduce=(HOSTILE,),
        highlights=(Highlight(HOSTILE, HOSTILE, HOSTILE),),
    )
    page = Page(build_report(content))
    assert page.all("script") == []
    assert page.text.count(HOSTILE) >= 12


def test_the_summary_comes_before_the_chapters(content: ReportContent) -> None:
    html = build_report(content)
    summary = html[html.index('id="summary"') : html.index('id="one"')]
    assert 'First finding, in <a href="#one">1</a>.' in summary


def test_two_chapters_cannot_share_an_anchor() -> None:
    chapter = Chapter("same", "title", "")
    with pytest.raises(FashionDGMError, match="same"):
        ReportContent("t", (chapter, chapter))
