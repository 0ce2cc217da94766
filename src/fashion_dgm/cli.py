"""`kedro run`, with a message instead of a traceback for mistakes that a user can mend."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.io import DatasetError
from kedro.validation import ParameterValidationError

from fashion_dgm.errors import FashionDGMError

__all__ = ["cli", "run"]


@click.group(name="fashion-dgm")
def cli() -> None:
    """Commands of the project."""


def user_message(error: BaseException) -> str | None:
    """Returns what to tell the user of `error`, or None if it is a bug, whose traceback is wanted."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, FashionDGMError | ParameterValidationError):
            return str(seen)
        seen = seen.__cause__ or seen.__context__
    # What Kedro says of a dataset or a pipeline name is already meant for the user.
    return str(error) if isinstance(error, DatasetError) else None


def _explained(command: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(command)
    def explained(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except Exception as error:
            message = user_message(error)
            if message is None:
                raise
            raise click.ClickException(message) from error

    return explained


run = copy.copy(kedro_run)
assert kedro_run.callback is not None
run.callback = _explained(kedro_run.callback)
cli.add_command(run)
