"""The documentation, built as `make docs` builds it: a warning is an error, and every link and picture is there."""

from __future__ import annotations

from pathlib import Path

from tests.links import Page, is_elsewhere, resolve


def test_links_of_the_site_lead_somewhere(site: Path) -> None:
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html") if path.name != "404.html"}
    assert len(pages) > 40
    faults = []
    for path, page in pages.items():
        for target in page.targets + page.loaded:
            if is_elsewhere(target):
                continue
            file, anchor = resolve(target, path)
            if not file.is_file() or (anchor and file in pages and anchor not in pages[file].anchors):
                faults.append(f"{path.relative_to(site)}: {target}")
    assert faults == []


def test_site_asks_no_server_for_anything(site: Path) -> None:
    loaded = [target for path in site.rglob("*.html") for target in Page(path.read_text(encoding="utf-8")).loaded]
    assert loaded
    assert [target for target in loaded if is_elsewhere(target) and not target.startswith("data:")] == []


def test_every_formula_is_drawn(site: Path) -> None:
    pages = [path.read_text(encoding="utf-8") for path in (site / "theory").glob("*.html")]
    assert all("<math" in page for page in pages)
    assert [page for page in pages if "\\(" in page or "$$" in page] == []
