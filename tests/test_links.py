"""Links between the files of the repository, as they are browsed in it, lead somewhere; so do the docs that code names."""

from __future__ import annotations

import ast
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.links import Page, is_elsewhere, page_of_markdown, resolve

TEXTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "src/**/*.md", "notebooks/*.ipynb")
    for path in ROOT.glob(pattern)
    if ".ipynb_checkpoints" not in path.parts
)
SOURCES = sorted(
    path
    for folder in ("src", "tests", "conf", "benchmarks")
    for suffix in (".py", ".yml", ".jinja", ".html")
    for path in (ROOT / folder).rglob(f"*{suffix}")
)
MENTION = re.compile(r"\bdocs/[\w/.-]+?\.(?:md|png|gif|csv|json)(?:#[\w-]+)?")


@functools.cache
def page(path: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n\n".join("".join(c["source"]) for c in json.loads(text)["cells"] if c["cell_type"] == "markdown")
    return page_of_markdown(text)


@functools.cache
def anchors(path: Path) -> set[str]:
    if path.suffix == ".py":
        definitions = ast.FunctionDef | ast.ClassDef
        return {node.name for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, definitions)}
    return page(path).anchors


def faults(path: Path, targets: list[str], start: Path) -> Iterator[str]:
    for target in targets:
        if is_elsewhere(target):
            continue
        file, anchor = resolve(target, start)
        if not file.is_relative_to(ROOT) or not file.exists():
            yield f"{path.relative_to(ROOT)}: {target}: there is no such file"
        elif anchor and anchor not in anchors(file):
            yield f"{path.relative_to(ROOT)}: {target}: there is no such heading"


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_a_text_lead_somewhere(path: Path) -> None:
    assert list(faults(path, page(path).targets + page(path).loaded, path)) == []


def test_docs_named_in_code_exist() -> None:
    mentions = {path: MENTION.findall(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert sum(map(len, mentions.values())) > 50
    assert [fault for path, found in mentions.items() for fault in faults(path, found, ROOT / "README.md")] == []
