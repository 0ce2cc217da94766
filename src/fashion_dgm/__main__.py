"""Runs the pipelines as a plain program: `python -m fashion_dgm --pipelines train_gan --env quick`."""

from kedro.framework.project import configure_project

__all__ = ["main"]


def main() -> None:
    """Runs pipelines with the configuration in the current folder, or in `--conf-source`."""
    configure_project("fashion_dgm")
    from fashion_dgm.cli import run

    run()


if __name__ == "__main__":
    main()
