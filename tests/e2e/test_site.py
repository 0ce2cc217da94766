"""The documentation, built as `make docs` builds it: a warning is an error, and every link and picture is there."""

from pathlib import Path

import pytest

from fashion_dgm.reporting.claims import CLAIMS, link_to
from tests.links import Page, is_elsewhere, resolve


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_links_of_the_site_lead_somewhere_and_nothing_is_loaded_from_a_server(
    site: Path, pages: dict[Path, Page]
) -> None:
    assert len(pages) > 40 and any(page.loaded for page in pages.values())
    faults = []
    for path, page in pages.items():
        faults += [f"{path}: {target}" for target in page.loaded if is_elsewhere(target) and target[:5] != "data:"]
        for target in page.targets + page.loaded:
            if is_elsewhere(target) or path.name == "404.html":
                continue
            file, anchor = resolve(target, path)
            if not file.is_file() or (anchor and file in pages and anchor not in pages[file].anchors):
                faults.append(f"{path.relative_to(site)}: {target}")
    assert faults == []


def test_links_of_the_report_lead_to_pages_of_the_site_and_back(site: Path, pages: dict[Path, Page]) -> None:
    report = site.parent / "data" / "08_reporting" / "report.html"
    shown = site.parent / "site"
    for claim in (claim for claims in CLAIMS.values() for claim in claims):
        for target in (claim.page, claim.test, claim.code):
            file, anchor = resolve(link_to(target, "../../site"), report)
            page = site / file.relative_to(shown)
            assert anchor in pages[page].anchors, target
            if target != claim.page:
                back = {resolve(found, page)[0] for found in pages[page].targets}
                assert site / f"{claim.page.partition('#')[0].removeprefix('docs/').removesuffix('.md')}.html" in back


def test_every_formula_is_drawn(site: Path) -> None:
    pages = [path.read_text(encoding="utf-8") for path in (site / "theory").glob("*.html")]
    assert all("<math" in page for page in pages)
    assert [page for page in pages if "\\(" in page or "$$" in page] == []
