"""Pages of theory and the figures of the published quick run name one another."""

import re
from pathlib import Path

from markdown.extensions.toc import slugify

from fashion_dgm.pipeline_registry import register_pipelines
from tests.conftest import ROOT

PAGES = sorted((ROOT / "docs" / "theory").glob("*.md"))


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
