"""Command lines: `kedro run` as this project has it, and `fashion-dgm`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fashion_dgm.cli.project import cli, run

__all__ = ["cli", "run"]


def __getattr__(name: str) -> Any:
    # Kedro asks for them by these names; late, or `fashion-dgm` would wait for Kedro.
    if name in __all__:
        from fashion_dgm.cli import project

        return getattr(project, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
