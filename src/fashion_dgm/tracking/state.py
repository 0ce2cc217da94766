"""Which run a training belongs to: its token lies with the training's state, and so goes wherever that is copied."""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fashion_dgm.training.store import RunStore, StateStore

__all__ = ["MarkedStateStore", "key_of", "opened_since"]

TOKEN = "mlflow_run"


class MarkedStateStore(StateStore):
    """A state store in which the training that was opened last is the newest folder, in whichever process it runs."""

    def open(self, fingerprint: Mapping[str, Any], variant: str = "") -> RunStore:
        """Returns the run of that fingerprint."""
        run = super().open(fingerprint, variant)
        now = time.time_ns()
        os.utime(run.folder, ns=(now, now))
        return run


def opened_since(store: StateStore, time_ns: int) -> Path | None:
    """Returns the folder of the training that was opened last, or None if that was before `time_ns`."""
    folders = [path for path in store.folder.glob("*") if path.is_dir() and path.stat().st_mtime_ns >= time_ns]
    return max(folders, key=lambda path: path.stat().st_mtime_ns, default=None)


def key_of(folder: Path | None, token: str, params: Mapping[str, Any]) -> str:
    """Returns the key of a training's run, and notes its token in `folder` if there is none.

    More epochs go on from the same state, but they are a parameter of a run, which MLflow does not let change: so
    there is a run for each set of parameters.
    """
    if folder is not None:
        path = folder / TOKEN
        if path.exists():
            token = path.read_text(encoding="utf-8")
        else:
            path.write_text(token, encoding="utf-8")
    text = json.dumps({name: str(value) for name, value in params.items()}, sort_keys=True)
    return f"{token}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
