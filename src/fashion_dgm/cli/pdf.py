"""`fashion-dgm pdf`."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["pdf"]


@click.command()
@click.argument(
    "report", type=click.Path(dir_okay=False, path_type=Path), default=Path("data/08_reporting/report.html")
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="By default next to REPORT.")
@click.option("--browser", help="A program of the Chromium family; by default the first that is found.")
def pdf(report: Path, output: Path | None, browser: str | None) -> None:
    """Prints REPORT to a PDF file, by a Chromium, Chrome or Edge that is installed."""
    from fashion_dgm.reporting.pdf import print_pdf

    output = report.with_suffix(".pdf") if output is None else output
    print_pdf(report, output, browser)
    click.echo(f"{output} is printed")
