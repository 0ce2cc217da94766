"""The report: what it consists of, and how that becomes one HTML file that needs nothing else.

The file holds its images and style, no script, and asks no server for anything; a content security policy in its head
makes browsers hold it to that. Equal content gives equal bytes: mappings are sorted, and no date, host or path is added.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting.chapter import Chapter, template_environment
from fashion_dgm.reporting.claims import Claim, link_to
from fashion_dgm.reporting.markdown import Counter, to_html, to_inline_html
from fashion_dgm.reporting.references import REFERENCES, in_order

__all__ = ["Highlight", "ReportContent", "build_report"]


@dataclass(frozen=True)
class Highlight:
    """One number to remember, set large above the summary."""

    value: str
    label: str
    note: str = ""


@dataclass(frozen=True)
class ReportContent:
    """All that a report says.

    Arguments:
        title: heading of the page.
        chapters: in the order of the page.
        summary: what comes before the chapters.
        figures: PNG or GIF files by name, None where there is none.
        configuration: nested parameters that made the results, shown sorted by name.
        differences: of the configuration as it is now, the dotted name, the value in the results, and that set now.
        how_to_reproduce: shell commands, in order.
        highlights: numbers to remember.
        claims: by a chapter's anchor, what it rests on.
        links: where links to files of the repository start, as `link_to` takes it.

    Raises:
        FashionDGMError: if two chapters have the same anchor.
    """

    title: str
    chapters: tuple[Chapter, ...]
    summary: Chapter | None = None
    figures: Mapping[str, bytes | None] = field(default_factory=dict, repr=False)
    configuration: Mapping[str, Any] = field(default_factory=dict)
    differences: tuple[tuple[str, Any, Any], ...] = ()
    how_to_reproduce: tuple[str, ...] = ()
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
        written = [*self.chapters, *([self.summary] if self.summary else [])]
        return tuple(in_order(key for chapter in written for key in chapter.cited))


def build_report(content: ReportContent) -> str:
    """Renders `content` as one HTML document.

    Raises:
        FashionDGMError: if a chapter's Markdown has a mistake in it, as `to_html` finds them.
    """
    counter = Counter()
    summary = content.summary
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=content,
            summary=summary and _page(summary, content.figures, counter),
            chapters=[_page(chapter, content.figures, counter) for chapter in content.chapters],
            references=[(key, REFERENCES[key].entry) for key in content.references],
            parameters=tuple(_parameter_groups(content.configuration)),
            differences=tuple((name, *map(_parameter_value, values)) for name, *values in content.differences),
            link=lambda target: link_to(target, content.links),
        )
    )


def _page(chapter: Chapter, figures: Mapping[str, bytes | None], counter: Counter) -> dict[str, str]:
    """A chapter as HTML."""
    html = to_html(chapter.markdown, figures, counter)
    return {"anchor": chapter.anchor, "title": Markup(to_inline_html(chapter.title)), "html": Markup(html)}


@cache
def _environment() -> Environment:
    environment = template_environment("templates", autoescape=True)
    environment.filters["inline"] = lambda text: Markup(to_inline_html(text))
    environment.filters["path"] = _path
    return environment


def _path(target: str) -> Markup:
    """Writes a target as a reader would look for it, with places where a line may break."""
    path, _, anchor = target.partition("#")
    text = f"{path}::{anchor}" if anchor and path.endswith(".py") else path
    return Markup("<wbr>").join(re.split(r"(?<=[/:_])(?=\w)", text))


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
