"""Links between the files of the repository, as they are browsed in it, lead somewhere; so do the docs that code names."""

import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.links import anchors, is_elsewhere, page, resolve

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
OBJECT = re.compile(r"`(fashion_dgm(?:\.\w+)+)")


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


def test_objects_named_in_code_exist() -> None:
    texts = [path.read_text(encoding="utf-8") for path in SOURCES if path.is_relative_to(ROOT / "src")]
    names = {name for text in texts for name in OBJECT.findall(text)}
    assert len(names) > 10
    for name in sorted(names):
        pkgutil.resolve_name(name)
