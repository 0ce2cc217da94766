"""A project and its configuration, outside of a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fashion_dgm.errors import FashionDGMError

__all__ = ["configuration", "current_project", "environment"]


def current_project(start: str | Path | None = None) -> Path:
    """Returns the folder of the Kedro project that a folder, the working directory if None, is in.

    Raises:
        FashionDGMError: if it is in none.
    """
    from kedro.utils import find_kedro_project

    project = find_kedro_project(Path(start or Path.cwd()).resolve())
    if project is None:
        raise FashionDGMError("this folder is not in a Kedro project; change to the project's folder")
    return Path(project)


def environment(source: Path, env: str | None = None) -> str:
    """Returns the environment of a command in which none, or `env`, is named: that of `KEDRO_ENV`, or else `local`.

    `base`, if `source` has no folder `local`, as in the Docker image.
    """
    return env or os.environ.get("KEDRO_ENV") or ("local" if (source / "local").is_dir() else "base")


def configuration(project: Path, key: str, env: str | None = None) -> dict[str, Any]:
    """Returns what a run in an environment reads under a key; nothing without credentials.

    Raises:
        FashionDGMError: if there is no such environment or key, or its files cannot be read.
    """
    from kedro.config import MissingConfigException

    from fashion_dgm.pipelines.conf_files import explaining
    from fashion_dgm.settings import CONFIG_LOADER_ARGS, ConfigLoader

    source = project / "conf"
    try:
        with explaining(source):
            found: dict[str, Any] = ConfigLoader(str(source), environment(source, env), **CONFIG_LOADER_ARGS)[key]
            return found
    except MissingConfigException as error:
        if key == "credentials":
            return {}
        raise FashionDGMError(str(error)) from error
