"""Runs the pipelines as a plain program: `python -m fashion_dgm --pipelines train_gan --env quick`."""

from __future__ import annotations

from pathlib import Path

from kedro.framework.startup import bootstrap_project

from fashion_dgm.cli import run

__all__ = ["main"]


def main() -> None:
    """Runs pipelines of the project in the current folder."""
    run(obj=bootstrap_project(Path.cwd()))


if __name__ == "__main__":
    main()
