"""Chapters of the report: a Markdown template each, in `chapters/`, filled in with a run's findings.

A template begins with front matter:

    ---
    title: GAN and WGAN
    finding: |              # Markdown for the summary at the top of the report
      ...
    command: train_wgan_gp  # pipelines that make the results, where a default run does without them
    shows: ...              # what the chapter would show, where there are no results
    ---

Its context is `f`, the chapter's findings; `findings`, those of all chapters; `figures`, the names of the figures that were
drawn; `cite(key)` and `citet(key)`, which cite a reference; `proof(name)`, a folded proof; the enums and thresholds of
`fashion_dgm.findings.criteria` by name; the functions of `wording`; and the filter `each(macro)`, which writes every item by
a macro. Templates branch on enums and on what is there, never on numbers: what a number means is decided in `findings`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from importlib.resources import files
from inspect import isfunction
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.findings import criteria
from fashion_dgm.findings.flow import Comparison
from fashion_dgm.reporting import wording
from fashion_dgm.reporting.references import REFERENCES

__all__ = [
    "Chapter",
    "ChapterTemplate",
    "chapter_template",
    "render_chapter",
    "render_flow",
    "render_summary",
    "template_environment",
]

_FRONT_MATTER = re.compile(r"\A---\n(?P<head>.*?)\n---\n(?P<body>.*)\Z", re.DOTALL)
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:])")


@dataclass(frozen=True)
class Chapter:
    """A chapter, written.

    Arguments:
        anchor: its id within the page.
        title: its heading.
        markdown: as `fashion_dgm.reporting.markdown.to_html` takes it.
        finding: one paragraph of Markdown for the summary; empty where there is nothing to say.
        cited: keys of references.
        command: what to run for its results, where it has none.
    """

    anchor: str
    title: str
    markdown: str
    finding: str = ""
    cited: tuple[str, ...] = ()
    command: str = ""


@dataclass(frozen=True)
class ChapterTemplate:
    """A chapter's template, with its front matter."""

    anchor: str
    title: str
    body: str
    finding: str = ""
    command: str = ""
    shows: str = ""


@cache
def chapter_template(anchor: str) -> ChapterTemplate:
    """Reads the template of a chapter.

    Raises:
        FashionDGMError: if there is none, or its front matter is not as described above.
    """
    path = files("fashion_dgm.reporting") / "chapters" / f"{anchor}.md.j2"
    if not path.is_file():
        raise FashionDGMError(f"the report has no chapter {anchor!r}")
    match = _FRONT_MATTER.match(path.read_text(encoding="utf-8"))
    if match is None:
        raise FashionDGMError(f"chapters/{anchor}.md.j2 needs front matter between two lines of ---")
    try:
        return ChapterTemplate(anchor=anchor, body=match["body"], **yaml.safe_load(match["head"]))
    except (TypeError, yaml.YAMLError) as error:
        raise FashionDGMError(f"the front matter of chapters/{anchor}.md.j2 cannot be used: {error}") from error


def render_chapter(anchor: str, findings: Any, figures: Mapping[str, bytes | None], run: str = "kedro run") -> Chapter:
    """Writes a chapter; one without findings says what it would show and which command makes its results.

    Arguments:
        anchor: its name; its findings are the attribute of that name, with underscores for hyphens.
        findings: a `fashion_dgm.findings.Findings`.
        figures: PNG or GIF files by name, None where there is none.
        run: the command of the run, to be part of others.
    """
    template = chapter_template(anchor)
    own = getattr(findings, anchor.replace("-", "_"))
    if own is None:
        command = f"{run} --pipelines {template.command},report"
        note = f"::: note Not part of this run\n`{command}` makes the results of this chapter.\n:::\n"
        proofs = re.findall(r"\{\{ proof\(.*?\) \}\}\n", template.body)
        body = "\n".join([template.shows, note, *proofs])
        return replace(_write(replace(template, body=body, finding=""), findings, figures), command=command)
    return _write(template, findings, figures, f=own)


def render_flow(comparison: Comparison, findings: Any, figures: Mapping[str, bytes | None]) -> Chapter:
    """Writes the chapter of a flow that the project does not come with, from its comparison with RealNVP."""
    flow, chapter = comparison.other, _write(chapter_template("other-flow"), findings, figures, f=comparison)
    return replace(chapter, anchor=flow.name.replace("_", "-"), title=flow.architecture)


def render_summary(findings: Any, chapters: Sequence[Chapter], longer: Sequence[Mapping[str, Any]] = ()) -> Chapter:
    """Writes the answers to the assignment's questions, from what the chapters have found.

    Arguments:
        findings: a `fashion_dgm.findings.Findings`.
        chapters: in the order of the report, which numbers them.
        longer: results of longer runs to compare these with, as the rows of `docs/results/headline.json` have them.
    """
    answers = {chapter.anchor: chapter.finding or f"Not part of this run: `{chapter.command}`." for chapter in chapters}
    numbers = {chapter.anchor: number for number, chapter in enumerate(chapters, 1)}
    return _write(chapter_template("summary"), findings, {}, answers=answers, numbers=numbers, longer=longer)


def _write(template: ChapterTemplate, findings: Any, figures: Mapping[str, bytes | None], **own: Any) -> Chapter:
    cited: dict[str, None] = {}
    context: dict[str, Any] = {
        **own,
        "findings": findings,
        "figures": [name for name, image in figures.items() if image is not None],
        "cite": lambda key: _cite(key, cited, "{authors}, {year}"),
        "citet": lambda key: _cite(key, cited, "{authors} ({year})"),
        "proof": lambda name: _proof(name, context),
    }
    text, finding = (_environment().from_string(part).render(context) for part in (template.body, template.finding))
    return Chapter(template.anchor, template.title, text, " ".join(finding.split()), tuple(cited))


def _proof(name: str, context: Mapping[str, Any]) -> str:
    """Returns a proof of `proofs/`, folded away under its heading."""
    text = (files("fashion_dgm.reporting") / "proofs" / f"{name}.md").read_text(encoding="utf-8")
    title, body = text.removeprefix("# ").split("\n", 1)
    return f":::: details #proof-{name} {title}\n{_environment().from_string(body).render(context)}::::\n"


def _cite(key: str, cited: dict[str, None], form: str) -> str:
    if key not in REFERENCES:
        raise FashionDGMError(f"references.yml has no {key!r}")
    cited[key] = None
    reference = REFERENCES[key]
    return f"[{form.format(authors=reference.authors, year=reference.year)}](#{key})"


def template_environment(folder: str, autoescape: bool = False) -> Environment:
    """Returns the environment of a folder of templates: a missing name is an error, and lines of tags leave no trace."""
    return Environment(
        loader=PackageLoader("fashion_dgm.reporting", folder),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def _environment() -> Environment:
    environment = template_environment("chapters")
    environment.filters |= {name: value for name, value in vars(wording).items() if isfunction(value)}
    environment.filters["plain"] = _plain
    environment.filters["each"] = lambda items, macro: [macro(item) for item in items]
    environment.globals |= {
        name: value
        for name, value in vars(criteria).items()
        if name.isupper()
        or (isinstance(value, type) and issubclass(value, Enum) and value.__module__ == criteria.__name__)
    }
    return environment


def _plain(text: object) -> str:
    """Escapes what Markdown would take for markup: for text that comes from elsewhere, such as a path or a message."""
    return _SPECIAL.sub(r"\\\1", re.sub(r"\s+", " ", str(text)))
