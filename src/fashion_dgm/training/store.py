"""Where trainings and long evaluations keep what they need to go on after any interruption."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, TypeVar

import torch

from fashion_dgm.files import DAMAGED, atomic_path, check_zip, opened

__all__ = ["Progress", "RunStore", "StateStore"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

# How many runs of a model, the newest first.
KEEP = 3


class StateStore:
    """A folder of training runs of one model, a subfolder for each fingerprint.

    A run with new parameters starts in a subfolder of its own, so the old one stays until the new one is complete; and
    afterwards, too, as long as it is among the newest, so that going back to old parameters costs nothing.

    Arguments:
        folder: of the store.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def open(self, fingerprint: Mapping[str, Any], variant: str = "") -> RunStore:
        """Returns the run of that fingerprint, and reports what changed where there are only others.

        Arguments:
            fingerprint: of `fingerprint_of`.
            variant: distinguishes runs of one fingerprint.
        """
        digest = hashlib.sha256(json.dumps(fingerprint, sort_keys=True).encode()).hexdigest()[:12]
        run = RunStore(self.folder / f"{digest}{variant}")
        if not run.folder.exists():
            for before in self._others(digest):
                logger.info("starting anew, because of %s", "; ".join(_changes(before, fingerprint)))
            with atomic_path(run.folder / "fingerprint.json") as path:
                path.write_text(json.dumps(fingerprint, indent=2, sort_keys=True), encoding="utf-8")
        return run

    def prune(self, finished: RunStore) -> None:
        """Removes the oldest runs, but never `finished`."""
        runs = [path for path in self.folder.iterdir() if path.is_dir() and path != finished.folder]
        for folder in sorted(runs, key=lambda path: path.stat().st_mtime, reverse=True)[KEEP - 1 :]:
            shutil.rmtree(folder, ignore_errors=True)

    def _others(self, digest: str) -> Iterator[Mapping[str, Any]]:
        """The parts of the newest run of another fingerprint, if there is one."""
        paths = [path for path in self.folder.glob("*/fingerprint.json") if not path.parent.name.startswith(digest)]
        for path in sorted(paths, key=lambda path: path.parent.stat().st_mtime)[-1:]:
            try:
                yield json.loads(path.read_text(encoding="utf-8"))
            except ValueError:
                logger.warning("%s is damaged and is ignored", path)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Returns what differs, each as `name: old -> new`."""
    both = ((name, before.get(name, "(none)"), after.get(name, "(none)")) for name in sorted({**before, **after}))
    return [f"{name}: {old} -> {new}" for name, old, new in both if old != new]


class RunStore:
    """The states of one run: the last one saved, and the one before it in case the last is damaged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._last, self._previous = folder / "state.pt", folder / "state.previous.pt"

    def save(self, state: Mapping[str, Any]) -> None:
        """Writes `state` atomically; the last one becomes the one before."""
        # Through memory, because torch's own writer has no word for a full disk.
        buffer = io.BytesIO()
        torch.save({**state, "run": self.folder.name}, buffer)
        with atomic_path(self._last) as path:
            path.write_bytes(buffer.getbuffer())
            if self._last.exists():
                self._last.replace(self._previous)

    def load(self) -> dict[str, Any] | None:
        """Returns the newest undamaged state with tensors on the CPU, or None where there is none.

        Raises:
            FashionDGMError: if a state may not be read, which is no reason to train anew.
        """
        for path in (self._last, self._previous):
            try:
                with opened(path) as file:
                    return self._read(file)
            except FileNotFoundError:
                continue
            except DAMAGED as error:
                logger.warning("%s is damaged (%s); falling back to the state before it", path, error)
                # Out of the way, or the next save would put it in the place of the good one.
                path.replace(path.with_suffix(".damaged"))
        return None

    def _read(self, file: IO[bytes]) -> dict[str, Any]:
        check_zip(file)
        state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        if (run := state.pop("run", None)) != self.folder.name:
            raise ValueError(f"it is the state of another run, {run}")
        return state


class Progress:
    """Results of the parts of a long computation, kept until all of it is done.

    Arguments:
        store: where they are kept; None keeps them in memory only.
        fingerprint: names and values of everything that decides them; results of another fingerprint are not used.
    """

    def __init__(self, store: StateStore | None = None, fingerprint: Mapping[str, Any] | None = None) -> None:
        self._store = store
        self._run = None if store is None else store.open(fingerprint or {})
        self._results: dict[str, Any] = (None if self._run is None else self._run.load()) or {}
        if self._results:
            logger.info("going on after %d parts of an interrupted run", len(self._results))

    def __call__(self, part: str, compute: Callable[[], T], keep: Callable[[T], bool] = lambda result: True) -> T:
        """Returns the result of a part: the one that is kept, or a new one.

        Arguments:
            compute: returns tensors and plain types, nested at will.
            keep: whether a new result is worth keeping.
        """
        if part in self._results:
            kept: T = self._results[part]
            return kept
        result = compute()
        if keep(result):
            self._results[part] = result
            if self._run is not None:
                self._run.save(self._results)
        return result

    def finish(self) -> None:
        """Forgets all results, so that the same computation starts from the beginning next time."""
        self._results = {}
        if self._store is not None:
            shutil.rmtree(self._store.folder, ignore_errors=True)
