"""`kedro run`, with a message instead of a traceback for mistakes that a user can mend."""

import copy
import functools
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from kedro import runner
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.project import pipelines, settings
from kedro.pipeline import Pipeline
from kedro.utils import find_kedro_project, load_obj
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from fashion_dgm.catalog.configuration import environment
from fashion_dgm.cli import stopping
from fashion_dgm.cli.configuration import check_configuration, check_outputs
from fashion_dgm.cli.messages import check_names, user_message
from fashion_dgm.errors import Interrupted, one_line, printable
from fashion_dgm.hooks import MLflowHooks
from fashion_dgm.pipelines import blocks
from fashion_dgm.pipelines.conf_files import check_files

__all__ = ["cli", "run"]

NODE_OPTIONS = ("node_names", "from_nodes", "to_nodes")


@click.group(name="fashion-dgm")
def cli() -> None:
    """Commands that Kedro takes from the project."""


def _check(given: dict[str, Any]) -> None:
    """Refuses a run with a mistake in its configuration or options, and completes the options.

    Arguments:
        given: the options of `kedro run`, by the names of its function's arguments.
    """
    # A folder, an archive or an address.
    source = str(given["conf_source"] or (find_kedro_project(Path.cwd()) or Path.cwd()) / settings.CONF_SOURCE)
    folder = Path(source)
    if "://" not in source and not folder.exists():
        raise click.ClickException(
            f"there is no configuration in {source}; change to the project's folder, or set --conf-source"
        )
    # Only Kedro can read what an archive holds.
    files: dict[Path, Any] = {}
    env = given["env"] or os.environ.get("KEDRO_ENV")
    if folder.is_dir():
        env = environment(folder, env)
        # What Kedro does not choose by itself; where it does, hooks see that no environment was named.
        given["env"] = given["env"] or ("base" if env == "base" else None)
        check_names([env], [path.name for path in folder.iterdir() if path.is_dir()], "environment")
        files = check_files(folder, env)
    blocks.read_first(source)
    _check_options(given)
    check_outputs(given["params"])
    loader = settings.CONFIG_LOADER_CLASS(source, env, runtime_params=given["params"], **settings.CONFIG_LOADER_ARGS)
    check_configuration(loader, folder, files, pipelines)


def _check_options(given: dict[str, Any]) -> None:
    """Refuses names that do not exist, and a choice that leaves no node; completes the names of nodes."""
    if given["runner"] and "." not in given["runner"]:
        check_names([given["runner"]], [name for name in runner.__all__ if name != "AbstractRunner"], "runner")
    elif given["runner"]:
        try:
            load_obj(given["runner"])
        except (ImportError, AttributeError, ValueError) as error:
            raise click.ClickException(f"there is no runner {given['runner']}: {error}") from error
    names = [*filter(None, [given["pipeline"]]), *given["pipelines"]]
    check_names(names, pipelines, "pipeline")
    chosen = sum((pipelines[name] for name in names or ["__default__"]), start=Pipeline([]))
    given |= {option: _full_names(given[option]) for option in NODE_OPTIONS if given[option]}
    outputs = given["to_outputs"]
    for option in NODE_OPTIONS:
        _check_left_out(given[option] or (), chosen, lambda pipeline: {node.name for node in pipeline.nodes})
    _check_left_out(given["namespaces"], chosen, lambda pipeline: {str(node.namespace) for node in pipeline.nodes})
    _check_left_out(outputs, chosen, Pipeline.all_outputs)
    check_names(given["tags"], {tag for node in chosen.nodes for tag in node.tags}, "tag")
    check_names(given["namespaces"], {str(node.namespace) for node in chosen.nodes}, "namespace")
    check_names([*given["from_inputs"], *outputs], chosen.datasets(), "dataset")
    filters = {option: given[option] for option in (*NODE_OPTIONS, "tags", "from_inputs", "to_outputs")}
    try:
        chosen.filter(**filters, node_namespaces=given["namespaces"])
    except ValueError as error:
        raise click.ClickException(f"these options leave nothing to run: {str(error).split('. ')[0]}") from None


def _check_left_out(names: Iterable[str], chosen: Pipeline, held: Callable[[Pipeline], set[str]]) -> None:
    """Refuses what no chosen pipeline holds, but another one does."""
    for name in names:
        owners = [owner for owner, pipeline in pipelines.items() if name in held(pipeline)]
        if owners and name not in held(chosen):
            raise click.ClickException(
                f"{name} is of the pipeline {owners[0]}, which this run leaves out; add --pipelines {owners[0]}"
            )


def _full_names(names: Iterable[str]) -> list[str]:
    """Puts its pipeline before a node that was named without, as Kedro wants it: `train_gan.plot_gan_snapshots`."""
    full = {node.short_name: node.name for pipeline in pipelines.values() for node in pipeline.nodes}
    check_names(names, {*full, *full.values()}, "node")
    return [full.get(name, name) for name in names]


def _explained(command: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(command)
    def explained(**given: Any) -> Any:
        stopping.listen()
        try:
            _check(given)
            result = command(**given)
            stopping.check()
            return result
        except KeyboardInterrupt:
            for hooks in settings.HOOKS:
                if isinstance(hooks, MLflowHooks):
                    hooks.close("KILLED")
            raise stopping.stopped() from None
        except Interrupted as error:
            raise stopping.stopped(str(error), error.signal) from error
        except Exception as error:
            message = user_message(error)
            if message is None:
                raise
            raise click.ClickException(printable(message)) from error
        finally:
            stopping.cease()

    return explained


def _refusing_contradictions(option: click.Parameter) -> click.Parameter:
    """Returns the option `--params`, for which parameters that contradict one another are a mistake of the user's."""
    option = copy.copy(option)
    split = option.callback
    assert split is not None

    def explained(context: click.Context, parameter: click.Parameter, value: str) -> Any:
        try:
            return split(context, parameter, value)
        # OmegaConf 2.4 raises a bare TypeError for a list where another value is within a block.
        except (OmegaConfBaseException, TypeError, ValueError, YAMLError) as error:
            reason = one_line(str(getattr(error, "msg", None) or error).split("\n")[0])
            raise click.BadParameter(f"these parameters cannot be read together: {reason}") from error

    option.callback = explained
    return option


run = copy.copy(kedro_run)
assert kedro_run.callback is not None
run.callback = _explained(kedro_run.callback)
run.params = [_refusing_contradictions(one) if one.name == "params" else one for one in kedro_run.params]
cli.add_command(run)
