"""`fashion-dgm`: samples of a trained model, scores of images, distances, sweeps over seeds, the report as a PDF."""

from __future__ import annotations

from typing import Any

import click

from fashion_dgm import __version__
from fashion_dgm.cli.fid import fid
from fashion_dgm.cli.pdf import pdf
from fashion_dgm.cli.sample import sample
from fashion_dgm.cli.score import score
from fashion_dgm.cli.sweep import sweep
from fashion_dgm.errors import FashionDGMError

__all__ = ["main"]


class _Explaining(click.Group):
    """Shows mistakes that a user can mend as a message instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except FashionDGMError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Explaining, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__)
def main() -> None:
    """Samples of the project's trained models, scores of images under them, and many trainings at once.

    MODEL is a checkpoint file (.safetensors), the name of one in the project's catalog (flow, gan_generator,
    wgan_generator ...), or runs:/RUN_ID of MLflow.
    """


for command in (sample, score, fid, sweep, pdf):
    main.add_command(command)


if __name__ == "__main__":
    main()
