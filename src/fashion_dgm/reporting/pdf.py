"""The report on paper: a PDF file, printed by a browser that is installed.

Page breaks, sizes and colours of paper are those of the report's own style sheet. No Python package sets MathML and CSS for
print as browsers do.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.files import atomic_path

__all__ = ["BROWSERS", "find_browser", "print_pdf"]

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_SECONDS = 180


def find_browser(name: str | None = None) -> str:
    """Returns the path of a browser of the Chromium family.

    Arguments:
        name: of a program, or its path; None for the first of `BROWSERS` that is there.

    Raises:
        FashionDGMError: if there is none.
    """
    found = next((path for path in map(shutil.which, (name,) if name else BROWSERS) if path), None)
    if found is not None:
        return found
    if name:
        raise FashionDGMError(f"there is no browser {name!r}: name a program of the Chromium family, or its path")
    raise FashionDGMError(
        "printing a PDF needs Chromium, Chrome or Edge, and none of them was found. Install one (Debian and Ubuntu: "
        "apt install chromium), name yours with --browser, or open the report in any browser and print it there"
    )


def print_pdf(page: Path, pdf: Path, browser: str | None = None) -> None:
    """Prints an HTML file to a PDF file, with an outline.

    Arguments:
        browser: as `find_browser` takes it.

    Raises:
        FashionDGMError: if there is no such file or browser, or the browser does not print it.
    """
    if not page.is_file():
        raise FashionDGMError(
            f"{page} does not exist: make it with `make run`, or with `kedro run --pipelines report` "
            "and the --env of your other runs"
        )
    program = find_browser(browser)
    with tempfile.TemporaryDirectory(prefix="fashion_dgm_print_", ignore_cleanup_errors=True) as profile:
        printed = Path(profile) / "report.pdf"
        command = [
            program,
            "--headless",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-first-run",
            # Chromium's sandbox refuses to run as root, which is who works in most containers.
            *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
            f"--user-data-dir={profile}",
            "--no-pdf-header-footer",
            "--generate-pdf-document-outline",
            f"--print-to-pdf={printed}",
            page.resolve().as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise FashionDGMError(f"{program} did not print {page}: {error}") from error
        if not printed.is_file() or not printed.read_bytes().startswith(b"%PDF"):
            said = " ".join(done.stderr.split())[-300:]
            raise FashionDGMError(f"{program} did not print {page} (exit status {done.returncode}): {said}")
        with atomic_path(pdf) as path:
            shutil.copyfile(printed, path)
