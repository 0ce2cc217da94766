"""The report's templates leave no verdict without words, and decide nothing themselves."""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import SimpleNamespace

import pytest
from jinja2 import Environment, nodes

from fashion_dgm import reporting
from fashion_dgm.findings import criteria
from fashion_dgm.pipeline_registry import register_pipelines
from fashion_dgm.reporting.chapter import chapter_template, render_chapter
from fashion_dgm.reporting.report import ReportContent, build_report

CHAPTERS = Path(reporting.__file__).parent / "chapters"
TEMPLATES = sorted(CHAPTERS.glob("*.md.j2"))
VERDICTS = {
    name: value for name, value in vars(criteria).items() if isinstance(value, type) and issubclass(value, Enum)
}


def parsed(path: Path) -> nodes.Template:
    return Environment(trim_blocks=True, lstrip_blocks=True).parse(path.read_text(encoding="utf-8"))


def members(test: nodes.Node) -> Iterator[tuple[str, str]]:
    """Yields the enum members that a condition compares with."""
    for attribute in test.find_all(nodes.Getattr):
        if isinstance(attribute.node, nodes.Name) and attribute.node.name in VERDICTS:
            yield attribute.node.name, attribute.attr


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_verdict_has_words(path: Path) -> None:
    branches = list(parsed(path).find_all(nodes.If))
    continued = {id(other) for branch in branches for other in branch.elif_}
    for branch in (branch for branch in branches if id(branch) not in continued):
        compared = [pair for test in (branch.test, *(other.test for other in branch.elif_)) for pair in members(test)]
        for name, member in compared:
            assert member in VERDICTS[name].__members__, f"{name} has no {member}"
        # `!=` stands before words that all verdicts but one have in common.
        simple = isinstance(branch.test, nodes.Compare) and branch.test.ops[0].op == "eq"
        if not compared or branch.else_ or not simple:
            continue
        (verdict,) = {name for name, _ in compared}
        missing = set(VERDICTS[verdict].__members__) - {member for _, member in compared}
        assert not missing, f"{path.name}:{branch.lineno}: no words for {verdict}: {', '.join(sorted(missing))}"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_compares_numbers(path: Path) -> None:
    for compare in parsed(path).find_all(nodes.Compare):
        operands = [compare.expr, *(operand.expr for operand in compare.ops)]
        ordered = any(operand.op in ("lt", "lteq", "gt", "gteq") for operand in compare.ops)
        number = any(isinstance(o, nodes.Const) and isinstance(o.value, float) for o in operands)
        assert not ordered and not number, f"{path.name}:{compare.lineno}: decide this in fashion_dgm.findings"


OPTIONAL = [
    path.name.removesuffix(".md.j2")
    for path in CHAPTERS.glob("[!_]*.md.j2")
    if "\ncommand: " in path.read_text("utf-8")
]


@pytest.mark.parametrize("anchor", OPTIONAL)
def test_a_chapter_without_results_names_the_pipelines_that_make_them(anchor: str) -> None:
    chapter = render_chapter(anchor, SimpleNamespace(**{anchor.replace("-", "_"): None}), {}, "kedro run --env quick")
    command = chapter.command.removeprefix("kedro run --env quick --pipelines ")
    assert set(command.split(",")) <= set(register_pipelines()) and command.endswith(",report")
    assert chapter_template(anchor).shows in chapter.markdown and f"`{chapter.command}`" in chapter.markdown
    summary = build_report(ReportContent("A report", (chapter,)))
    assert f"<code>{chapter.command}</code>" in summary and f'href="#{anchor}"' in summary
