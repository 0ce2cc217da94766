"""The folder through which the driver of a distributed run and its processes on the same machine exchange messages.

Files rather than queues: a process that is killed in the middle of a message leaves no lock behind.
"""

import json
import logging
import pickle
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.files import atomic_path
from fashion_dgm.training.epoch import EpochRow

__all__ = ["JobDirectory"]


class JobDirectory:
    """A folder that holds a job, and then reports of epochs, the result or errors.

    Arguments:
        folder: exists as long as the driver does.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._job, self._result, self._stop = folder / "job.pkl", folder / "result.pkl", folder / "stop"
        self._started, self._epochs = folder / "started", folder / "epochs.jsonl"
        self._position, self._last_epoch = 0, 0.0

    def put_job(self, entry: Callable[..., Any], arguments: dict[str, Any]) -> None:
        """Writes what to call with what, and how much to log; other processes must be able to import `entry`."""
        # The path first, for without it the rest may not be found.
        job = (entry, arguments, logging.getLogger("fashion_dgm").getEffectiveLevel())
        self._job.write_bytes(pickle.dumps(sys.path) + pickle.dumps(job))

    def job(self) -> bytes | None:
        """Returns what `put_job` wrote, or None if the job is in another machine's directory."""
        return self._job.read_bytes() if self._job.exists() else None

    def report_start(self) -> None:
        """Reports to the driver that training is about to begin."""
        self._started.touch()

    @property
    def started(self) -> bool:
        """Whether training has begun."""
        return self._started.exists()

    def report_epoch(self, row: EpochRow, seconds: float | None) -> None:
        """Reports an epoch to the driver."""
        with self._epochs.open("a", encoding="utf-8") as file:
            file.write(json.dumps([row, seconds]) + "\n")

    def new_epochs(self) -> list[tuple[EpochRow, float | None]]:
        """Returns the epochs reported since the last call; those that a restarted process reports again are left out."""
        if not self._epochs.exists():
            return []
        with self._epochs.open(encoding="utf-8") as file:
            file.seek(self._position)
            text = file.read()
        complete = text[: text.rfind("\n") + 1]
        self._position += len(complete.encode())
        new = []
        for row, seconds in map(json.loads, complete.splitlines()):
            if row["epoch"] > self._last_epoch:
                self._last_epoch = row["epoch"]
                new.append((row, seconds))
        return new

    def ask_to_stop(self, number: signal.Signals) -> None:
        """Asks the processes to stop after their current step, as if that signal had been sent to them."""
        if not self._stop.exists():
            self._stop.write_text(str(int(number)))

    def asked_to_stop(self) -> signal.Signals | None:
        """Returns the signal given to `ask_to_stop`, or SIGTERM if the driver has left."""
        try:
            # Empty, if it is just being written.
            text = self._stop.read_text()
            return signal.Signals(int(text)) if text else None
        except FileNotFoundError:
            return None if self.folder.exists() else signal.SIGTERM

    def put_result(self, result: Any) -> None:
        """Writes what the job returned."""
        with atomic_path(self._result) as path:
            path.write_bytes(pickle.dumps(result))

    def put_error(self, rank: int, error: FashionDGMError) -> None:
        """Writes why the job failed on a rank."""
        with atomic_path(self.folder / f"error_{rank:04d}.pkl") as path:
            path.write_bytes(pickle.dumps(error))

    def has_result(self) -> bool:
        """Whether the job has returned."""
        return self._result.exists()

    def result(self) -> Any:
        """Returns what the job returned."""
        return pickle.loads(self._result.read_bytes())

    def error(self) -> FashionDGMError | None:
        """Returns the error of the first rank that left one, or None."""
        paths = sorted(self.folder.glob("error_*.pkl"))
        return pickle.loads(paths[0].read_bytes()) if paths else None
