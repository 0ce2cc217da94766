"""`kedro run`, with a message instead of a traceback for mistakes that a user can mend."""

from __future__ import annotations

import copy
import functools
import signal
from collections.abc import Callable, Collection, Iterable
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.project import pipelines, settings

from fashion_dgm.cli.messages import user_message
from fashion_dgm.config.renamed import suggestion
from fashion_dgm.hooks import MLflowHooks

__all__ = ["cli", "run"]

NODE_OPTIONS = ("node_names", "from_nodes", "to_nodes")


@click.group(name="fashion-dgm")
def cli() -> None:
    """Commands that Kedro takes from the project."""


def _check_names(names: Iterable[str], known: Collection[str], kind: str) -> None:
    for name in names:
        if name not in known:
            raise click.ClickException(f"there is no {kind} {name}; {suggestion(name, known)}")


def _full_names(names: Iterable[str]) -> list[str]:
    """Puts its pipeline before a node that was named without, as Kedro wants it: `train_gan.plot_gan_snapshots`."""
    full = {node.short_name: node.name for pipeline in pipelines.values() for node in pipeline.nodes}
    _check_names(names, {*full, *full.values()}, "node")
    return [full.get(name, name) for name in names]


def _explained(command: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(command)
    def explained(*args: Any, **kwargs: Any) -> Any:
        _check_names([*filter(None, [kwargs["pipeline"]]), *kwargs["pipelines"]], pipelines, "pipeline")
        kwargs |= {option: _full_names(kwargs[option]) for option in NODE_OPTIONS if kwargs[option]}
        # Outside of training, whose loop has its own way, a request to end is one to end now.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            for hooks in settings.HOOKS:
                if isinstance(hooks, MLflowHooks):
                    hooks.close("KILLED")
            raise click.ClickException("interrupted. The same command goes on from what was last saved.") from None
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
