import re
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from fashion_dgm.cli.main import main
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting.chapter import Chapter
from fashion_dgm.reporting.pdf import BROWSERS, find_browser, print_pdf
from fashion_dgm.reporting.report import ReportContent, build_report


@pytest.fixture
def page(png: bytes, tmp_path: Path) -> Path:
    rows = "".join(f"| row {n} | {n} |\n" for n in range(80))
    table = f"::: table\nLong.\n\n| a | b |\n|---|--:|\n{rows}:::\n"
    figure = "::: figure one\nWhat it shows.\n\nA caption.\n:::\n"
    chapters = (
        Chapter("one", "The first chapter", f"Words.\n\n{figure}\n{table}"),
        Chapter("two", "The second chapter", "Words."),
    )
    path = tmp_path / "a report.html"
    content = ReportContent("A report", chapters, figures={"one": png}, configuration={"block": {"x": 1}})
    path.write_text(build_report(content), encoding="utf-8")
    return path


def program(folder: Path, script: str) -> Path:
    """A stand-in for a browser, to see what becomes of its faults."""
    path = folder / "browser"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.browser
def test_report_is_printed_by_a_browser_if_there_is_one(page: Path) -> None:
    try:
        find_browser()
    except FashionDGMError:
        pytest.skip("no browser of the Chromium family is installed")
    done = CliRunner().invoke(main, ["pdf", str(page)])
    assert done.exit_code == 0, done.output
    printed = page.with_suffix(".pdf").read_bytes()
    assert printed.startswith(b"%PDF") and b"/Outlines" in printed
    # A4 in points, and more pages than one: the long table is broken, not cut off.
    assert re.search(rb"/MediaBox\s*\[0 0 59\d\.\d+ 84\d\.\d+\]", printed)
    assert printed.count(b"/Type /Page\n") >= 3
    assert [path.name for path in page.parent.iterdir() if path.name.startswith(".")] == []


def test_no_browser_says_what_to_do(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    done = CliRunner().invoke(main, ["pdf", str(page)])
    assert done.exit_code == 1
    assert "apt install chromium" in done.output and "--browser" in done.output
    with pytest.raises(FashionDGMError, match="no browser 'netscape'"):
        find_browser("netscape")


def test_the_first_browser_that_is_there_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/there/{name}" if name in BROWSERS[2:4] else None)
    assert find_browser() == f"/there/{BROWSERS[2]}"


def test_no_report_says_how_to_make_one(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["pdf", str(tmp_path / "report.html")])
    assert done.exit_code == 1 and "kedro run --pipelines report" in done.output


@pytest.mark.parametrize(
    "script",
    [
        "echo it crashed >&2; exit 3",
        'for a; do case $a in --print-to-pdf=*) : > "${a#*=}"; esac; done',  # an empty file
    ],
)
def test_a_browser_that_fails_leaves_what_was_there(page: Path, script: str) -> None:
    pdf = page.with_suffix(".pdf")
    pdf.write_bytes(b"before")
    with pytest.raises(FashionDGMError, match="did not print"):
        print_pdf(page, pdf, str(program(page.parent, script)))
    assert pdf.read_bytes() == b"before"
