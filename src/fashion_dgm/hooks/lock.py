"""One command at a time writes into a folder."""

import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from fashion_dgm.errors import FashionDGMError

__all__ = ["LockHooks"]

LOCK, OWNER = ".lock", ".lock.owner"


class LockHooks:
    """Locks the folders that a run writes into, so that a second command is refused, and not the results of the first lost.

    The system releases the lock of a process that is gone, however it ended. Commands that write elsewhere or only
    read are not held up.
    """

    def __init__(self) -> None:
        self._locks = contextlib.ExitStack()

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Takes the locks, or none of them."""
        self._locks.close()
        with contextlib.ExitStack() as locks:
            for folder in sorted(_written(pipeline, catalog)):
                locks.enter_context(_locked(folder))
            self._locks = locks.pop_all()

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Releases the locks."""
        self._locks.close()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Releases the locks."""
        self._locks.close()


def _written(pipeline: Pipeline, catalog: DataCatalog) -> set[Path]:
    """The folders of this machine in which a pipeline's nodes leave files, states of trainings included."""
    from fashion_dgm.catalog.local import StateStoreDataset

    names = [*pipeline.all_outputs(), *(name for name in pipeline.inputs() if name.endswith("_state"))]
    datasets: list[Any] = [catalog.get(name) for name in names]
    local = (each for each in datasets if isinstance(each, StateStoreDataset) or getattr(each, "_is_local", False))
    return {Path(dataset._filepath).parent for dataset in local}


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    owner = folder / OWNER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / LOCK, timeout=0):
            command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
            about = {"command": command, "process": os.getpid(), "host": socket.gethostname(), "since": time.time()}
            owner.write_text(json.dumps(about), encoding="utf-8")
            try:
                yield
            finally:
                owner.unlink(missing_ok=True)
    except Timeout:
        raise FashionDGMError(
            f"{folder} is being written by {_described(owner)}. Wait until it ends, or write to another "
            "folder with --params outputs=FOLDER"
        ) from None
    except OSError as error:
        raise FashionDGMError(
            f"cannot write to {folder}: {error.strerror or error}. Make it writable, or write to another folder with "
            "--params outputs=FOLDER"
        ) from error


def _described(owner: Path) -> str:
    try:
        about = json.loads(owner.read_text(encoding="utf-8"))
        age = time.time() - about["since"]
        lasting = f"{age:.0f} s" if age < 120 else f"{age / 60:.0f} min"
        return f"`{about['command']}` (process {about['process']} on {about['host']}, for {lasting})"
    except (OSError, ValueError, KeyError, TypeError):
        # Just taken, and not yet described.
        return "another command"
