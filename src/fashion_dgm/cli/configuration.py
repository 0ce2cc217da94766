"""The configuration as a whole: what is wrong with it is one message, before anything runs."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fashion_dgm.config.base import Config
from fashion_dgm.config.renamed import nearest
from fashion_dgm.errors import one_line
from fashion_dgm.files import expanded
from fashion_dgm.pipelines.conf_files import ConfigurationError, explaining, perhaps

if TYPE_CHECKING:
    from kedro.config import AbstractConfigLoader
    from kedro.pipeline import Pipeline

__all__ = ["check_configuration", "check_outputs", "typed"]

C = TypeVar("C", bound=Config)

# Nearer than a name of the user's own, for a notebook, is likely to be.
SLIP = 0.8


def check_configuration(
    loader: AbstractConfigLoader, source: Path, files: Mapping[Path, Any], pipelines: Mapping[str, Pipeline]
) -> None:
    """Checks what the files hold together, for all pipelines, whichever are to be run.

    Arguments:
        loader: of the configuration.
        source: the folder, archive or address that it is read from.
        files: what those of `source` hold, as `check_files` returns it; none, if it is not a folder.
        pipelines: all there are, by name.

    Raises:
        ConfigurationError: if a reference leads nowhere, credentials or a name are unknown, or a value is refused.
    """
    from kedro.config import MissingConfigException
    from kedro.io import CatalogConfigResolver

    from fashion_dgm.cli.messages import parameter_message
    from fashion_dgm.config import TrackingConfig

    credentials: dict[str, Any] = {}
    with explaining(source):
        parameters, tracking, catalog = loader["parameters"], loader["tracking"], loader["catalog"]
        with contextlib.suppress(MissingConfigException):
            credentials = loader["credentials"]
    _check_globals(files)
    typed(TrackingConfig, tracking, "tracking")
    known = {name for pipeline in pipelines.values() for name in pipeline.datasets()}
    for name, entry in catalog.items():
        _check_entry(name, entry, known)
    try:
        CatalogConfigResolver(catalog, credentials, default_runtime_patterns={})
    except KeyError as error:
        raise ConfigurationError(one_line(error.args[0])) from error
    if message := parameter_message(parameters, pipelines):
        raise ConfigurationError(message)


def check_outputs(parameters: dict[str, Any]) -> None:
    """Puts the home folder in the place of `~` in the parameter `outputs`, which names a folder.

    Raises:
        ConfigurationError: if it is empty.
    """
    if "outputs" not in parameters:
        return
    folder = parameters["outputs"]
    if isinstance(folder, dict | list) or folder is None or not str(folder).strip():
        raise ConfigurationError("--params outputs= names no folder; write outputs=FOLDER, or omit it to write to data")
    parameters["outputs"] = str(expanded(str(folder)))


def typed(model: type[C], values: Any, name: str) -> C:
    """Returns `values` as a block of parameters, `name` being what errors call it.

    Raises:
        ConfigurationError: if they are refused, with a line for each.
    """
    from fashion_dgm.cli.messages import refusals

    if lines := refusals(model, values, name):
        raise ConfigurationError(f"{name} is wrong:\n" + "\n".join(lines))
    return model(**values)


def _check_globals(files: Mapping[Path, Any]) -> None:
    """Refuses names in `globals` that nothing refers to."""
    used = {name for path in files for name in re.findall(r"\$\{globals:\s*(\w+)", path.read_text(encoding="utf-8"))}
    for path, content in files.items():
        for name in (content or {}) if path.name.startswith("globals") else ():
            if name not in used:
                raise ConfigurationError(f"{path} sets {name}, which is not used anywhere{perhaps(name, used)}")


def _check_entry(name: str, entry: Any, known: set[str]) -> None:
    """Refuses an entry of the catalog that no dataset can be made of, or whose name is nearly one that pipelines use."""
    from kedro.io.core import DatasetError, parse_dataset_definition

    if name.startswith("_"):
        return
    if not isinstance(entry, Mapping) or not isinstance(entry.get("type"), str):
        raise ConfigurationError(f"the catalog's entry {name} has no `type`")
    if "{" not in name and name not in known and (near := nearest(name, known, SLIP)):
        raise ConfigurationError(f"the catalog has an entry {name}, which no pipeline uses; did you mean {near}?")
    # The types of patterns are parts of names.
    if "{" in entry["type"]:
        return
    try:
        kind, arguments = parse_dataset_definition({key: value for key, value in entry.items() if key != "validator"})
    except DatasetError as error:
        raise ConfigurationError(f"the catalog's entry {name}: {str(error).splitlines()[0]}") from error
    allowed = inspect.signature(kind.__init__).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in allowed.values()):
        return
    for argument in arguments:
        if argument not in allowed:
            raise ConfigurationError(
                f"the catalog's entry {name}: {entry['type']} has no {argument}{perhaps(argument, set(allowed))}"
            )
