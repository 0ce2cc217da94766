"""The report's Markdown becomes HTML: tables, formulas as MathML, and containers for what Markdown has no word for.

    ::: figure gan_curves          ::: table                   ::: note Title
    What it shows, for those       The caption.                A caveat.
    who cannot see it.                                         :::
                                   | Model | FID |
    The caption.                   |---|--:|                   ::: details Title
    :::                            | GAN | 5.2 |               Folded away.
                                   :::                         :::

Columns that are aligned to the right hold numbers. A row whose first cell is bold is set off from the others. `$...$` and
`$$...$$` are LaTeX. The title of details may begin with an id, `#like-this`. A container around another has one colon
more. HTML is text like any other.
"""

from __future__ import annotations

import base64
import itertools
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import escape
from math_core import LatexError, LatexToMathML
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from fashion_dgm.errors import FashionDGMError

__all__ = ["Counter", "image_size", "to_html", "to_inline_html", "to_plain"]

_CONTAINERS = ("figure", "table", "note", "details", "formula")
_WORDY = 28  # characters; a column of longer text must not be squeezed to a word a line on a small screen
_LONG = 14  # rows; a longer table may break between pages


@dataclass
class Counter:
    """Numbers figures and tables through the report."""

    figure: int = 0
    table: int = 0


def to_html(markdown: str, figures: Mapping[str, bytes | None], counter: Counter) -> str:
    """Returns HTML.

    Arguments:
        markdown: as described above.
        figures: PNG or GIF files by name; a figure that is None is left out with its caption.
        counter: goes on counting where it stands.

    Raises:
        FashionDGMError: if a formula cannot be read, a figure is unknown, or has no alternative text or caption.
    """
    tokens = list(_contained(_parser().parse(markdown), figures, counter))
    return _render(tokens)


def to_inline_html(markdown: str) -> str:
    """Returns one paragraph of Markdown as HTML without `<p>`."""
    return _parser().renderInline(markdown.strip())


def to_plain(markdown: str) -> str:
    """Returns one paragraph of Markdown as plain text."""
    (token,) = _parser().parseInline(markdown.strip())
    return _text_of(token)


def image_size(image: bytes) -> tuple[int, int]:
    """Returns width and height of a PNG or GIF file in pixels.

    Raises:
        FashionDGMError: if it is neither.
    """
    if image.startswith(b"\x89PNG\r\n\x1a\n") and len(image) >= 24:
        width, height = struct.unpack(">II", image[16:24])
    elif image[:6] in (b"GIF87a", b"GIF89a") and len(image) >= 10:
        width, height = struct.unpack("<HH", image[6:10])
    else:
        raise FashionDGMError(f"a figure of the report must be a PNG or GIF file, not {image[:8]!r}...")
    return width, height


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable("table")
    parser.use(dollarmath_plugin, double_inline=False, renderer=_mathml)
    for name in _CONTAINERS:
        parser.use(container_plugin, name)
    return parser


def _mathml(latex: str, options: Mapping[str, bool]) -> str:
    try:
        converter = LatexToMathML(fancy_error=False)
        return converter.convert_with_local_state(latex, displaystyle=bool(options.get("display_mode")))
    except LatexError as error:
        raise FashionDGMError(f"the formula {latex!r} cannot be read: {error}") from error


def _render(tokens: Sequence[Token]) -> str:
    parser = _parser()
    return parser.renderer.render(tokens, parser.options, {})


def _contained(tokens: Sequence[Token], figures: Mapping[str, bytes | None], counter: Counter) -> Iterator[Token]:
    """Yields the tokens with each container as ready HTML."""
    i = 0
    while i < len(tokens):
        token = tokens[i]
        if not (token.type.startswith("container_") and token.nesting == 1):
            yield token
            i += 1
            continue
        kind = token.type.removeprefix("container_").removesuffix("_open")
        end = next(
            j
            for j in range(i + 1, len(tokens))
            if tokens[j].type == f"container_{kind}_close" and tokens[j].level == token.level
        )
        title = token.info.strip().removeprefix(kind).strip()
        yield _html(_block(kind, title, tokens[i + 1 : end], figures, counter))
        i = end + 1


def _block(kind: str, title: str, inner: Sequence[Token], figures: Mapping[str, bytes | None], counter: Counter) -> str:
    if kind == "figure":
        return _figure(title, inner, figures, counter)
    if kind == "table":
        return _table(inner, counter)
    body = _render(list(_contained(inner, figures, counter)))
    if kind == "note":
        return f'<aside class="note">\n<p class="note-title">{to_inline_html(title)}</p>\n{body}</aside>\n'
    if kind == "details":
        first, _, rest = title.partition(" ")
        identity, title = (f' id="{first[1:]}"', rest) if first.startswith("#") else ("", title)
        return f'<details class="more"{identity}>\n<summary>{to_inline_html(title)}</summary>\n{body}</details>\n'
    return f'<div class="formula">\n{body}</div>\n'


def _figure(name: str, inner: Sequence[Token], figures: Mapping[str, bytes | None], counter: Counter) -> str:
    if name not in figures:
        raise FashionDGMError(f"the report has no figure {name!r}")
    image = figures[name]
    if image is None:
        return ""
    width, height = image_size(image)
    paragraphs = [token for token in inner if token.type == "inline"]
    if len(paragraphs) < 2:
        raise FashionDGMError(f"the figure {name!r} needs an alternative text and a caption")
    alt, caption = _text_of(paragraphs[0]), " ".join(map(_inline, paragraphs[1:]))
    counter.figure += 1
    label, kind = f"figure-{counter.figure}", "gif" if image.startswith(b"GIF") else "png"
    data = base64.b64encode(image).decode("ascii")
    return (
        f'<figure>\n<div class="scroll" role="region" tabindex="0" aria-labelledby="{label}">\n'
        f'<img src="data:image/{kind};base64,{data}" alt="{escape(alt)}" '
        f'width="{round(width / 2)}" height="{round(height / 2)}">\n</div>\n'
        f'<figcaption id="{label}"><b>Figure {counter.figure}.</b> {caption}</figcaption>\n</figure>\n'
    )


def _table(inner: Sequence[Token], counter: Counter) -> str:
    first = next((i for i, token in enumerate(inner) if token.type == "table_open"), None)
    if first is None or inner[0].type != "paragraph_open":
        raise FashionDGMError(f"a table needs a caption and rows: {_text_of_all(inner)[:80]!r}")
    caption = " ".join(_inline(token) for token in inner[:first] if token.type == "inline")
    rows: list[list[tuple[Token, bool]]] = []
    for token, content in itertools.pairwise(inner):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append((content, "right" in str(token.attrs.get("style", ""))))
    head, body = rows[0], rows[1:]
    wordy = [max((len(_text_of(row[i][0])) for row in body), default=0) > _WORDY for i in range(len(head))]
    counter.table += 1
    label = f"table-{counter.table}"
    return (
        f'<figure class="table{" long" if len(body) > _LONG else ""}">\n'
        f'<figcaption id="{label}"><b>Table {counter.table}.</b> {caption}</figcaption>\n'
        f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{label}">\n'
        f'<table aria-labelledby="{label}">\n<thead><tr>\n'
        + "".join(f"{_cell('th', 'col', token, number, False)}\n" for token, number in head)
        + "</tr></thead>\n<tbody>\n"
        + "".join(_row(row, wordy) for row in body)
        + "</tbody>\n</table>\n</div>\n</figure>\n"
    )


def _row(row: Sequence[tuple[Token, bool]], wordy: Sequence[bool]) -> str:
    emphasised = row[0][0].content.startswith("**")
    cells = (
        _cell("td" if i else "th", "" if i else "row", token, number, wordy[i]) for i, (token, number) in enumerate(row)
    )
    attribute = ' class="emphasised"' if emphasised else ""
    return f"<tr{attribute}>{''.join(cells)}</tr>\n"


def _cell(tag: str, scope: str, token: Token, number: bool, wordy: bool) -> str:
    attributes = f' scope="{scope}"' if scope else ""
    kind = "numeric" if number else "wordy" if wordy else ""
    attributes += f' class="{kind}"' if kind else ""
    return f"<{tag}{attributes}>{_inline(token)}</{tag}>"


def _inline(token: Token) -> str:
    return _render(token.children or [])


def _text_of(token: Token) -> str:
    parts = [child.content if child.type != "softbreak" else " " for child in token.children or []]
    return re.sub(r"\s+", " ", "".join(parts)).strip()


def _text_of_all(tokens: Sequence[Token]) -> str:
    return " ".join(_text_of(token) for token in tokens if token.type == "inline")


def _html(text: str) -> Token:
    return Token("html_block", "", 0, content=text)
