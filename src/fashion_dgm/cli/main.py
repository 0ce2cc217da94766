"""`fashion-dgm`: samples of a trained model, scores of images, distances, sweeps over seeds; report and lineage to show."""

import io
import sys
from pathlib import Path
from typing import Any

import click

from fashion_dgm import __version__
from fashion_dgm.catalog.configuration import configuration, current_project
from fashion_dgm.cli.images import FILE, fid, sample, score
from fashion_dgm.cli.lineage import lineage
from fashion_dgm.cli.shipped import demo, models
from fashion_dgm.cli.stopping import cease, listen, stopped
from fashion_dgm.cli.sweep import sweep
from fashion_dgm.errors import FashionDGMError, printable

__all__ = ["main"]


class _Explaining(click.Group):
    """Shows mistakes that a user can mend as a message instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        # Where there is no UTF-8, a ± must not cost the result.
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        listen()
        try:
            return super().invoke(ctx)
        except FashionDGMError as error:
            raise click.ClickException(printable(str(error))) from error
        except KeyboardInterrupt:
            raise stopped() from None
        finally:
            cease()


@click.group(cls=_Explaining, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__)
def main() -> None:
    """Draws samples from trained models, scores images, computes distances, and trains many models at once.

    MODEL is a checkpoint file (.safetensors), the name of one in the project's catalog (flow, gan_generator,
    wgan_generator ...), one that comes with the package (reference/gan ...; `fashion-dgm models` lists them), or
    runs:/RUN_ID or models:/NAME@ALIAS of MLflow.
    """


@main.command()
@click.argument("report", type=FILE, default=Path("data/08_reporting/report.html"))
@click.option("-o", "--output", type=FILE, help="The PDF file; by default next to REPORT.")
@click.option("--browser", help="A Chromium-based browser; by default the first that is found.")
def pdf(report: Path, output: Path | None, browser: str | None) -> None:
    """Prints REPORT to PDF with an installed browser.

    The browser is Chromium, Chrome or Edge.
    """
    from fashion_dgm.reporting.pdf import print_pdf

    output = report.with_suffix(".pdf") if output is None else output
    print_pdf(report, output, browser)
    click.echo(f"printed {output}")


@main.command()
@click.option("--env", envvar="KEDRO_ENV", help="The configuration that the runs were recorded with.")
def mlflow_sync(env: str | None) -> None:
    """Sends MLflow the records that it has not received.

    They are those of earlier runs; they go to MLFLOW_TRACKING_URI if that is set.
    """
    from fashion_dgm.cli.configuration import typed
    from fashion_dgm.config import TrackingConfig
    from fashion_dgm.tracking.recorder import send_what_waits

    project = current_project()
    config = typed(TrackingConfig, configuration(project, "tracking", env), "tracking")
    sent, left = send_what_waits(config, project)
    there = f"; {left} wait for another MLFLOW_TRACKING_URI, or for a run that is still going" if left else ""
    click.echo(f"sent {sent} records{there}")


for command in (sample, score, fid, models, demo, sweep, lineage):
    main.add_command(command)


if __name__ == "__main__":
    main()
