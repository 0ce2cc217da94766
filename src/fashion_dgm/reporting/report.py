"""The report: what it consists of, and how that becomes one HTML file that needs nothing else.

The file holds its images and style, no script, and asks no server for anything; a content security policy in its head
makes browsers hold it to that. Equal content gives equal bytes: mappings are sorted, and no date, host or path is added.

Text is plain and always escaped; `code` between backticks is the one piece of markup.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting.chapter import Chapter
from fashion_dgm.reporting.claims import Claim
from fashion_dgm.reporting.links import link_to
from fashion_dgm.reporting.markdown import Counter, to_html, to_inline_html
from fashion_dgm.reporting.references import REFERENCES, in_order

__all__ = [
    "Block",
    "BlockChapter",
    "FigureBlock",
    "FormulaBlock",
    "Highlight",
    "NoteBlock",
    "ReportContent",
    "TableBlock",
    "TextBlock",
    "build_report",
]

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_WORDY = 28
_SECTIONS = ("summary", "contents", "configuration", "reproduce", "references")


@dataclass(frozen=True)
class FigureBlock:
    """An image with a caption.

    Arguments:
        png: a PNG file, shown at half its size in pixels, or narrower where the page is.
        alt: what the image shows, in words, for those who cannot see it.
        caption: written below, after the figure's number.

    Raises:
        FashionDGMError: if `png` is no PNG, or `alt` is empty.
    """

    kind: ClassVar[str] = "figure"

    png: bytes = field(repr=False)
    alt: str
    caption: str

    def __post_init__(self) -> None:
        if not self.png.startswith(_PNG_SIGNATURE) or len(self.png) < 24:
            raise FashionDGMError(f"a figure of the report must be a PNG file, not {self.png[:8]!r}...")
        if not self.alt.strip():
            raise FashionDGMError(f"the figure {self.caption!r} needs an alternative text")

    @property
    def base64(self) -> str:
        """The file as base64 text."""
        return base64.b64encode(self.png).decode("ascii")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height on the page, in CSS pixels."""
        width, height = struct.unpack(">II", self.png[16:24])
        return round(width / 2), round(height / 2)


@dataclass(frozen=True)
class TableBlock:
    """A table of ready-made strings.

    Arguments:
        columns: heads of the columns.
        rows: one string a column.
        caption: written above, after the table's number.
        numeric: indices of the columns to align right, for numbers.
        emphasised: indices of the rows to set in bold.

    Raises:
        FashionDGMError: if a row has another length than `columns`.
    """

    kind: ClassVar[str] = "table"

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str
    numeric: tuple[int, ...] = ()
    emphasised: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise FashionDGMError(
                    f"the table {self.caption!r} has {len(self.columns)} columns, but a row of {len(row)}: {row}"
                )

    @property
    def wordy(self) -> tuple[int, ...]:
        """Indices of columns of long text, which must not be squeezed to a word a line on a small screen."""
        words = [max((len(row[i]) for row in self.rows), default=0) for i in range(len(self.columns))]
        return tuple(i for i, length in enumerate(words) if length > _WORDY and i not in self.numeric)


@dataclass(frozen=True)
class TextBlock:
    """Paragraphs, under a heading where there is one."""

    kind: ClassVar[str] = "text"

    paragraphs: tuple[str, ...]
    heading: str = ""


@dataclass(frozen=True)
class NoteBlock:
    """A caveat that must not be overlooked."""

    kind: ClassVar[str] = "note"

    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class FormulaBlock:
    """A displayed formula: the name of a macro of `templates/formulas.html.j2`, and what its symbols mean."""

    kind: ClassVar[str] = "formula"

    name: str
    meaning: str


Block = FigureBlock | TableBlock | TextBlock | NoteBlock | FormulaBlock


@dataclass(frozen=True)
class BlockChapter:
    """A numbered chapter.

    Arguments:
        title: its heading.
        anchor: its id within the page: lower-case letters, digits and hyphens.
        intro: first paragraphs.
        blocks: what follows.
        sources: entries of the list of references that its text leans on.
        finding: what it comes to, for the summary; empty where there is nothing to say.
        command: what to run for its results, where it has none yet.

    Raises:
        FashionDGMError: if the anchor cannot be one.
    """

    title: str
    anchor: str
    intro: tuple[str, ...]
    blocks: tuple[Block, ...]
    sources: tuple[str, ...] = ()
    finding: str = ""
    command: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", self.anchor) or self.anchor in _SECTIONS:
            raise FashionDGMError(
                f"{self.anchor!r} cannot be a chapter's anchor: use lower-case letters, digits and hyphens, "
                f"and none of {', '.join(_SECTIONS)}"
            )


@dataclass(frozen=True)
class Highlight:
    """One figure to remember, set large beside the summary."""

    value: str
    label: str
    note: str = ""


@dataclass(frozen=True)
class ReportContent:
    """All that a report says.

    Arguments:
        title: heading of the page.
        chapters: in the order of the page.
        figures: PNG or GIF files by name, None where there is none.
        configuration: nested parameters that made the results, shown sorted by name.
        differences: of the configuration as it is now, the dotted name, the value in the results, and that set now.
        how_to_reproduce: shell commands, in order.
        subtitle: written below the title.
        highlights: figures to remember.
        claims: by a chapter's anchor, what it rests on.
        links: where links to files of the repository start, as `link_to` takes it.

    Raises:
        FashionDGMError: if two chapters share an anchor.
    """

    title: str
    chapters: tuple[Chapter | BlockChapter, ...]
    figures: Mapping[str, bytes | None] = field(default_factory=dict, repr=False)
    configuration: Mapping[str, Any] = field(default_factory=dict)
    differences: tuple[tuple[str, Any, Any], ...] = ()
    how_to_reproduce: tuple[str, ...] = ()
    subtitle: str = ""
    highlights: tuple[Highlight, ...] = ()
    claims: Mapping[str, tuple[Claim, ...]] = field(default_factory=dict)
    links: str = "../.."

    def __post_init__(self) -> None:
        anchors = [chapter.anchor for chapter in self.chapters]
        repeated = sorted({anchor for anchor in anchors if anchors.count(anchor) > 1})
        if repeated:
            raise FashionDGMError(f"chapters of a report need anchors of their own; given twice: {', '.join(repeated)}")

    @property
    def references(self) -> tuple[str, ...]:
        """Keys of the references of all chapters, each once, in alphabetical order."""
        keys = {reference.entry: key for key, reference in REFERENCES.items()}
        cited = [
            chapter.cited if isinstance(chapter, Chapter) else [keys[source] for source in chapter.sources]
            for chapter in self.chapters
        ]
        return tuple(in_order(key for found in cited for key in found))


def build_report(content: ReportContent) -> str:
    """Renders `content` as one HTML document.

    Raises:
        FashionDGMError: if a formula has a name that no template knows.
    """
    environment = _environment()
    counter = Counter()
    return environment.get_template("report.html.j2").render(
        report=content,
        chapters=[_page(chapter, content.figures, counter) for chapter in content.chapters],
        references=[(key, REFERENCES[key].entry) for key in content.references],
        parameters=tuple(_parameter_groups(content.configuration)),
        differences=tuple((name, *map(_parameter_value, values)) for name, *values in content.differences),
        link=lambda target: link_to(target, content.links),
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fashion_dgm.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["inline"] = _inline
    environment.filters["path"] = _path
    return environment


def _inline(text: str) -> Markup:
    """Escapes `text` and sets what stands between backticks as code; a single backtick stays what it is."""
    parts = re.split(r"`([^`]+)`", text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(parts)
    )


def _path(target: str) -> Markup:
    """Writes a target as a reader would look for it, with places where a line may break."""
    path, _, anchor = target.partition("#")
    text = f"{path}::{anchor}" if anchor and path.endswith(".py") else path
    return Markup("<wbr>").join(re.split(r"(?<=[/:_])(?=\w)", text))


@dataclass(frozen=True)
class _Page:
    """A chapter as HTML."""

    anchor: str
    title: Markup
    html: Markup
    finding: Markup
    command: str


def _page(chapter: Chapter | BlockChapter, figures: Mapping[str, bytes | None], counter: Counter) -> _Page:
    if isinstance(chapter, Chapter):
        html = Markup(to_html(chapter.markdown, figures, counter))
        finding = Markup(to_inline_html(chapter.finding)) if chapter.finding else Markup("")
        return _Page(chapter.anchor, Markup(to_inline_html(chapter.title)), html, finding, chapter.command)
    environment = _environment()
    known = environment.get_template("formulas.html.j2").module
    numbers = {}
    for i, block in enumerate(chapter.blocks):
        if isinstance(block, FormulaBlock) and not hasattr(known, block.name):
            raise FashionDGMError(f"the report knows no formula {block.name!r}; add it to formulas.html.j2")
        if isinstance(block, FigureBlock):
            counter.figure += 1
            numbers[i] = counter.figure
        if isinstance(block, TableBlock):
            counter.table += 1
            numbers[i] = counter.table
    html = Markup(environment.get_template("blocks.html.j2").render(chapter=chapter, numbers=numbers))
    return _Page(chapter.anchor, _inline(chapter.title), html, _inline(chapter.finding), chapter.command)


def _parameter_groups(configuration: Mapping[str, Any]) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Yields each top-level block of parameters as its name and rows of dotted name and value."""
    loose = {name: value for name, value in configuration.items() if not isinstance(value, Mapping)}
    if loose:
        yield "general", tuple(_parameter_rows(loose))
    for name in sorted(configuration, key=str):
        if name not in loose:
            yield str(name), tuple(_parameter_rows(configuration[name]))


def _parameter_rows(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for name in sorted(value, key=str):
            yield from _parameter_rows(value[name], f"{prefix}.{name}" if prefix else str(name))
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping | list | tuple) for item in value):
        for i, item in enumerate(value):
            yield from _parameter_rows(item, f"{prefix}.{i}")
    else:
        yield prefix, _parameter_value(value)


def _parameter_value(value: Any) -> str:
    """Writes a value as YAML would."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_parameter_value(item) for item in value) + "]"
    return str(value)
