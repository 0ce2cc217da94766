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

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from markupsafe import escape
from math_core import LatexError, LatexToMathML
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from PIL import Image, UnidentifiedImageError

from fashion_dgm.errors import FashionDGMError

__all__ = ["Counter", "image_size", "to_html", "to_inline_html"]

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
    return _render(SyntaxTreeNode(_parser().parse(markdown)), figures, counter)


def to_inline_html(markdown: str) -> str:
    """Returns one paragraph of Markdown as HTML without `<p>`."""
    return _parser().renderInline(markdown.strip())


def image_size(image: bytes) -> tuple[int, int]:
    """Returns width and height of a PNG or GIF file in pixels.

    Raises:
        FashionDGMError: if it is neither.
    """
    try:
        return Image.open(io.BytesIO(image), formats=("PNG", "GIF")).size
    except UnidentifiedImageError as error:
        raise FashionDGMError(f"a figure of the report must be a PNG or GIF file, not {image[:8]!r}...") from error


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


def _render(parent: SyntaxTreeNode, figures: Mapping[str, bytes | None], counter: Counter) -> str:
    """Renders what is within a node, containers by the functions below."""
    return "".join(
        _container(node, figures, counter) if node.type.startswith("container_") else _html(node)
        for node in parent.children
    )


def _html(node: SyntaxTreeNode) -> str:
    parser = _parser()
    return str(parser.renderer.render(node.to_tokens(), parser.options, {}))


def _container(node: SyntaxTreeNode, figures: Mapping[str, bytes | None], counter: Counter) -> str:
    kind = node.type.removeprefix("container_")
    title = node.info.strip().removeprefix(kind).strip()
    if kind == "figure":
        return _figure(title, node, figures, counter)
    if kind == "table":
        return _table(node, counter)
    body = _render(node, figures, counter)
    if kind == "note":
        return f'<aside class="note">\n<p class="note-title">{to_inline_html(title)}</p>\n{body}</aside>\n'
    if kind == "details":
        first, _, rest = title.partition(" ")
        identity, title = (f' id="{first[1:]}"', rest) if first.startswith("#") else ("", title)
        return f'<details class="more"{identity}>\n<summary>{to_inline_html(title)}</summary>\n{body}</details>\n'
    return f'<div class="formula">\n{body}</div>\n'


def _figure(name: str, node: SyntaxTreeNode, figures: Mapping[str, bytes | None], counter: Counter) -> str:
    if name not in figures:
        raise FashionDGMError(f"the report has no figure {name!r}")
    image = figures[name]
    if image is None:
        return ""
    width, height = image_size(image)
    if len(node.children) < 2:
        raise FashionDGMError(f"the figure {name!r} needs an alternative text and a caption")
    alt, *captions = node.children
    counter.figure += 1
    label, kind = f"figure-{counter.figure}", "gif" if image.startswith(b"GIF") else "png"
    data = base64.b64encode(image).decode("ascii")
    return (
        f'<figure>\n<div class="scroll" role="region" tabindex="0" aria-labelledby="{label}">\n'
        f'<img src="data:image/{kind};base64,{data}" alt="{escape(_text_of(alt))}" '
        f'width="{round(width / 2)}" height="{round(height / 2)}">\n</div>\n'
        f'<figcaption id="{label}"><b>Figure {counter.figure}.</b> {_inline(*captions)}</figcaption>\n</figure>\n'
    )


def _table(node: SyntaxTreeNode, counter: Counter) -> str:
    if len(node.children) < 2 or node.children[-1].type != "table":
        raise FashionDGMError(f"a table needs a caption and rows: {_text_of(node)[:80]!r}")
    *captions, table = node.children
    head, *bodies = table.children
    rows = [row.children for body in bodies for row in body.children]
    columns = head.children[0].children
    wordy = [max((len(_text_of(row[i])) for row in rows), default=0) > _WORDY for i in range(len(columns))]
    counter.table += 1
    label = f"table-{counter.table}"
    return (
        f'<figure class="table{" long" if len(rows) > _LONG else ""}">\n'
        f'<figcaption id="{label}"><b>Table {counter.table}.</b> {_inline(*captions)}</figcaption>\n'
        f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{label}">\n'
        f'<table aria-labelledby="{label}">\n<thead><tr>\n'
        + "".join(f"{_cell('th', 'col', cell, False)}\n" for cell in columns)
        + "</tr></thead>\n<tbody>\n"
        + "".join(_row(row, wordy) for row in rows)
        + "</tbody>\n</table>\n</div>\n</figure>\n"
    )


def _row(row: Sequence[SyntaxTreeNode], wordy: Sequence[bool]) -> str:
    first, *others = row
    attribute = ' class="emphasised"' if first.children[0].content.startswith("**") else ""
    cells = [_cell("td", "", cell, wide) for cell, wide in zip(others, wordy[1:], strict=True)]
    return f"<tr{attribute}>{_cell('th', 'row', first, wordy[0])}{''.join(cells)}</tr>\n"


def _cell(tag: str, scope: str, cell: SyntaxTreeNode, wordy: bool) -> str:
    attributes = f' scope="{scope}"' if scope else ""
    kind = "numeric" if "right" in str(cell.attrs.get("style", "")) else "wordy" if wordy else ""
    attributes += f' class="{kind}"' if kind else ""
    return f"<{tag}{attributes}>{_inline(cell)}</{tag}>"


def _inline(*blocks: SyntaxTreeNode) -> str:
    return " ".join(_html(block.children[0]) for block in blocks)


def _text_of(node: SyntaxTreeNode) -> str:
    leaves = (one for one in node.walk() if not one.children)
    return " ".join("".join(" " if one.type == "softbreak" else one.content for one in leaves).split())
