"""Where a training run keeps what it needs to go on after any interruption."""

from __future__ import annotations

import json
import logging
import pickle
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from fashion_dgm.files import atomic_path
from fashion_dgm.training.fingerprint import Fingerprint

__all__ = ["RunStore", "StateStore"]

logger = logging.getLogger(__name__)


class StateStore:
    """A folder of training runs of one model, a subfolder for each fingerprint.

    A run with new parameters starts in a subfolder of its own; the old run stays until the new one is complete.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def open(self, fingerprint: Fingerprint) -> RunStore:
        """Returns the run of that fingerprint, and says what changed where there are only others."""
        run = RunStore(self.folder / fingerprint.digest)
        if not run.folder.exists():
            for parts in self._others(fingerprint):
                logger.info("training anew, because of %s", "; ".join(fingerprint.changed_from(parts)))
            with atomic_path(run.folder / "fingerprint.json") as path:
                path.write_text(json.dumps(dict(fingerprint.parts), indent=2, sort_keys=True), encoding="utf-8")
        return run

    def keep_only(self, run: RunStore) -> None:
        """Removes the runs that `run`, now complete, replaces."""
        for folder in self.folder.iterdir():
            if folder.is_dir() and folder != run.folder:
                shutil.rmtree(folder, ignore_errors=True)

    def _others(self, fingerprint: Fingerprint) -> Iterator[Mapping[str, Any]]:
        for path in sorted(self.folder.glob("*/fingerprint.json")):
            if path.parent.name != fingerprint.digest:
                try:
                    yield json.loads(path.read_text(encoding="utf-8"))
                except ValueError:
                    logger.warning("%s is damaged and is ignored", path)


class RunStore:
    """The states of one run: the last complete epoch, and the one before it in case the last is damaged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._last, self._previous = folder / "state.pt", folder / "state.previous.pt"

    def save(self, state: Mapping[str, Any]) -> None:
        """Writes `state` atomically; the last one becomes the one before."""
        with atomic_path(self._last) as path:
            torch.save(dict(state), path)
            if self._last.exists():
                self._last.replace(self._previous)

    def load(self, device: torch.device) -> dict[str, Any] | None:
        """Returns the newest undamaged state with tensors on `device`, or None where there is none."""
        for path in (self._last, self._previous):
            if path.exists():
                try:
                    state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
                except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
                    logger.warning("%s is damaged (%s); falling back to the state before it", path, error)
                else:
                    return state
        return None
