"""From report to documentation, test and code, and back, by links and names alone."""

import ast
import re
from pathlib import Path

import pytest

from fashion_dgm.reporting.chapter import Chapter
from fashion_dgm.reporting.claims import CLAIMS, Claim
from fashion_dgm.reporting.compose import ANCHORS
from fashion_dgm.reporting.report import ReportContent, build_report
from tests.conftest import ROOT
from tests.links import Page, anchors, is_elsewhere, resolve

EVERY = [pytest.param(claim, id=claim.text) for claims in CLAIMS.values() for claim in claims]


def file_of(target: str) -> tuple[Path, str]:
    path, _, anchor = target.partition("#")
    return ROOT / path, anchor


def imported(path: Path, name: str) -> set[str]:
    """What of other files a function, or what it refers to in its own and in other tests' files, uses."""
    imports, definitions = {}, {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            imports |= {alias.asname or alias.name: (node.module or "", alias.name) for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            definitions[node.name] = node
        elif isinstance(node, ast.Assign):
            definitions |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
    found: set[str] = set()
    seen, waiting = set(), [name]
    while waiting:
        if (used := waiting.pop()) in seen:
            continue
        seen.add(used)
        if used in imports:
            module, original = imports[used]
            found.add(module)
            file = ROOT / f"{module.replace('.', '/')}.py"
            found |= imported(file, original) if module.startswith("tests.") and file.exists() else set()
        for node in ast.walk(definitions[used]) if used in definitions else ():
            # Fixtures are arguments.
            waiting += [node.id] if isinstance(node, ast.Name) else [node.arg] if isinstance(node, ast.arg) else []
    return found


def test_every_chapter_rests_on_something() -> None:
    assert tuple(CLAIMS) == ANCHORS
    assert all(CLAIMS.values())


def test_every_link_of_the_report_leads_to_a_file_and_a_name_in_it() -> None:
    chapters = tuple(Chapter(anchor, anchor, "") for anchor in ANCHORS)
    html = Page(build_report(ReportContent("A report", chapters, claims=CLAIMS)))
    report = ROOT / "data" / "08_reporting" / "report.html"
    targets = [target for target in html.targets if not target.startswith("#")]
    assert len(targets) == 3 * len(EVERY)
    for target in targets:
        assert not is_elsewhere(target)
        file, anchor = resolve(target, report)
        assert file.is_relative_to(ROOT) and file.is_file(), target
        assert anchor in anchors(file), target


@pytest.mark.parametrize("claim", EVERY)
def test_test_and_code_lead_back_to_the_page(claim: Claim) -> None:
    path, name = file_of(claim.test)
    (test,) = (
        node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == name
    )
    assert claim.page in (ast.get_docstring(test) or "")
    assert any(module.startswith("fashion_dgm") for module in imported(path, name)), f"{name} runs no code"
    code = file_of(claim.code)[0].read_text(encoding="utf-8")
    head = re.split(r"^(?:def|class|@)", code, maxsplit=1, flags=re.MULTILINE)[0]
    assert claim.page.partition("#")[0] in head
