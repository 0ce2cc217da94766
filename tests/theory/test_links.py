"""Theory and tests name one another, and what they name exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from markdown.extensions.toc import slugify

from fashion_dgm.pipeline_registry import register_pipelines

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for path in (ROOT / "docs" / "theory").glob("*.md") if path.name != "index.md")
# In this folder every test is of a claim; elsewhere those that name one.
THEORY = sorted(path for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__))
TESTS = THEORY + sorted((ROOT / "tests" / "flows").glob("test_*.py"))
WITHOUT_A_CLAIM = {"checked-by", "sources"}


def headings(page: Path) -> set[str]:
    """The anchors that MkDocs gives the second-level headings of a page."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return {slugify(title, "-") for title in re.findall(r"^## (.+)$", text, flags=re.MULTILINE)}


def docstrings(path: Path) -> dict[str, str]:
    """Names of the tests in a file, with their docstrings."""
    functions = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]
    return {node.name: ast.get_docstring(node) or "" for node in functions if node.name.startswith("test_")}


def links(page: Path) -> list[tuple[str, str, str]]:
    """`(text, path, anchor)` of a page's links to Python files, the path relative to the root of the repository."""
    found = re.findall(r"\[`([^`]+)`\]\(\.\./\.\./([\w/]+\.py)#?(\w*)\)", page.read_text(encoding="utf-8"))
    return [(text, path, anchor) for text, path, anchor in found]


def claims(docstring: str) -> list[tuple[str, str]]:
    """`(page, heading)` that a docstring names."""
    return re.findall(r"docs/theory/([\w-]+\.md)#([\w-]+)", docstring)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_links_to_tests_and_code_that_exist(page: Path) -> None:
    _, checked_by = page.read_text(encoding="utf-8").split("\n## Checked by\n")
    assert "\nCode: " in checked_by
    tests = [link for link in links(page) if link[1].startswith("tests/")]
    assert tests
    for text, path, anchor in tests:
        assert text == f"{path}::{anchor}"
        assert anchor in docstrings(ROOT / path), text
    code = set(links(page)) - set(tests)
    assert code
    for text, path, _ in code:
        assert (ROOT / path).is_file(), text
        assert path == f"src/{text.replace('.', '/')}.py"


def figures(page: Path) -> set[tuple[str, str]]:
    """`(heading, name)` of the figures that a page points to, each at the end of the claim that it shows."""
    _, *sections = re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = set()
    for section in sections:
        title, text = section.split("\n", 1)
        for line in re.findall(r"^Figure: .*$", text, flags=re.MULTILINE):
            match = re.match(r"Figure: \[`(\w+)`\]\(\.\./results/quick/\1\.png\)", line)
            assert match, f"{page.name}: {line}"
            found.add((slugify(title, "-"), match[1]))
    return found


def test_figures_and_claims_name_one_another() -> None:
    text = (ROOT / "docs" / "results" / "quick.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[`(\w+)`\]\(quick/\1\.png\) \|.*\| (.+) \|$", text, flags=re.MULTILINE)
    named = {
        (page, heading, name)
        for name, links in rows
        for page, heading in re.findall(r"\.\./theory/([\w-]+\.md)#([\w-]+)", links)
    }
    assert named == {(page.name, heading, name) for page in PAGES for heading, name in figures(page)}
    pictures = {path.stem: path for path in (ROOT / "docs" / "results" / "quick").glob("*.png")}
    datasets = {name for pipeline in register_pipelines().values() for name in pipeline.datasets()}
    made = {name.removesuffix("_figure") for name in datasets if name.endswith("_figure")}
    assert pictures.keys() == {name for name, _ in rows} <= made
    assert all(path.stat().st_size < 150_000 for path in pictures.values())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_heading_has_a_test(page: Path) -> None:
    checked = {
        heading
        for path in TESTS
        for docstring in docstrings(path).values()
        for name, heading in claims(docstring)
        if name == page.name
    }
    assert headings(page) - WITHOUT_A_CLAIM == checked


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_every_test_names_a_claim_and_is_named_under_it(path: Path) -> None:
    for name, docstring in docstrings(path).items():
        assert claims(docstring) or path not in THEORY, name
        for page_name, heading in claims(docstring):
            page = ROOT / "docs" / "theory" / page_name
            assert heading in headings(page), f"{name}: {heading}"
            text = page.read_text(encoding="utf-8").split("\n## Checked by\n")[1]
            entries = [entry for entry in re.split(r"\n(?=- |\n)", text) if f"(#{heading})" in entry]
            assert any(f"#{name})" in entry for entry in entries), f"{page_name} does not name {name} under {heading}"
