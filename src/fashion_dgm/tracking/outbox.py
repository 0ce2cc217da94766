"""Calls that wait on disk until they are sent, so that nobody waits for a server and nothing is lost with it.

Each session has a folder, locked while its process lives, with a subfolder for each call that was not sent yet and a mark
for each run that is open. What a killed session leaves, the next one sends.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

__all__ = ["Doubtful", "Outbox", "Refused", "Sender", "Unreachable"]

logger = logging.getLogger(__name__)

CALL = "call.json"
MARK = ".open"
# In seconds, the first and the longest wait before a call is tried again.
DELAYS = (1.0, 60.0)
# How often a doubtful call is tried.
TRIES = 3


class Unreachable(Exception):
    """What was called does not answer now; the same call may succeed later."""


class Doubtful(Unreachable):
    """An error that may be the call's own: if what is called answers otherwise, it is not tried for ever."""


class Refused(Exception):
    """A call that would fail again."""


class Outbox:
    """The calls of one session, in order.

    Arguments:
        folder: of the session.
        destination: where its calls go; None for a session that is there.
    """

    def __init__(self, folder: Path, destination: str | None = None) -> None:
        self.folder = folder
        self._lock = FileLock(folder / "lock")
        self._count = max((int(call.name) for call in self.waiting()), default=0)
        if destination is not None:
            folder.mkdir(parents=True)
            self._lock.acquire()
            (folder / "destination").write_text(destination, encoding="utf-8")

    @classmethod
    def begin(cls, outboxes: Path, destination: str) -> Outbox:
        """Returns the outbox of a new session, among others in the folder `outboxes`."""
        return cls(
            outboxes / f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}-{time.time_ns() % 10**6:06}", destination
        )

    @classmethod
    def left(cls, outboxes: Path, destination: str) -> Iterator[Outbox]:
        """Yields the outboxes of processes that have ended, the oldest first, each locked until the next is asked for."""
        for folder in sorted(path for path in outboxes.glob("*") if path.is_dir()):
            outbox = cls(folder)
            with contextlib.suppress(Timeout, OSError), outbox._lock.acquire(timeout=0):
                if (folder / "destination").read_text(encoding="utf-8") == destination:
                    yield outbox
                    outbox.end()

    def put(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Adds a call; files among the arguments are copied, because the next run overwrites them.

        Raises:
            OSError: if the disk is full, or the folder not writable.
        """
        self._count += 1
        call = self.folder / f"{self._count:08}"
        new = call.with_suffix(".new")
        # There is one if the process was killed here.
        new.mkdir(exist_ok=True)

        def attached(value: Any) -> Any:
            if not isinstance(value, Path):
                return value.item()  # of a number of numpy's
            target = new / str(len(list(new.iterdir()))) / value.name
            target.parent.mkdir()
            shutil.copyfile(value, target)
            return {"file": str(target.relative_to(new))}

        text = json.dumps({"name": name, "arguments": arguments}, default=attached)
        (new / CALL).write_text(text, encoding="utf-8")
        new.rename(call)

    def waiting(self) -> list[Path]:
        """Returns the folders of the calls that were not sent yet, in order."""
        return sorted(path for path in self.folder.glob("*") if path.is_dir() and path.name.isdigit())

    def mark(self, run: str, is_open: bool) -> None:
        """Notes whether a run is open."""
        path = self.folder / f"{run}{MARK}"
        path.touch() if is_open else path.unlink(missing_ok=True)

    def open_runs(self) -> list[str]:
        """Returns the runs that are open, the last one opened first."""
        marks = sorted(self.folder.glob(f"*{MARK}"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        return [path.name.removesuffix(MARK) for path in marks]

    def last_change(self) -> float:
        """Returns when the session last did something, in seconds since 1970."""
        return max(path.stat().st_mtime for path in (self.folder, *self.folder.iterdir()))

    def end(self) -> None:
        """Lets the folder go, or leaves it to the next session where calls wait in it."""
        if not self.waiting() and not self.open_runs():
            shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.release()


def _read(call: Path) -> tuple[str, dict[str, Any]]:
    def located(value: dict[str, Any]) -> Any:
        return call / value["file"] if value.keys() == {"file"} else value

    found = json.loads((call / CALL).read_text(encoding="utf-8"), object_hook=located)
    return found["name"], found["arguments"]


class Sender(threading.Thread):
    """Sends calls in order, each until it succeeds or is refused.

    Arguments:
        send: sends a call of this name with these arguments. Raises `Unreachable`, `Doubtful` or `Refused`.
        answers: whether what is called answers at all.
        outboxes: yields what to send before `own`.
        own: the outbox of this session, which fills while the thread runs; without it, nothing is waited for.
    """

    def __init__(
        self,
        send: Callable[[str, dict[str, Any]], None],
        answers: Callable[[], bool],
        outboxes: Callable[[], Iterator[Outbox]],
        own: Outbox | None = None,
    ) -> None:
        super().__init__(name="mlflow", daemon=True)
        self._send, self._answers, self._outboxes, self._own = send, answers, outboxes, own
        self._news, self._closed = threading.Event(), threading.Event()
        if own is None:
            self._closed.set()
        self.sent = 0
        self.failure: Exception | None = None
        """Why the last call could not be sent."""

    def wake(self) -> None:
        """Announces a new call."""
        self._news.set()

    def close(self) -> None:
        """Returns once everything is sent, or at the first call for which there is no answer."""
        self._closed.set()
        self._news.set()
        self.join()

    def run(self) -> None:
        """Sends what others have left, then what this session adds until it closes."""
        try:
            for outbox in self._outboxes():
                self._empty(outbox)
            while self._own is not None:
                self._news.clear()
                closed = self._closed.is_set()
                self._empty(self._own)
                if closed:
                    return
                self._news.wait()
        except (Unreachable, Refused) as error:
            self.failure = error

    def _empty(self, outbox: Outbox) -> None:
        for call in outbox.waiting():
            self._until_sent(call)
            shutil.rmtree(call, ignore_errors=True)

    def _until_sent(self, call: Path) -> None:
        delay, tries = DELAYS[0], 0
        while True:
            try:
                self._send(*_read(call))
            except (Unreachable, Refused) as error:
                if isinstance(error, Doubtful | Refused) and self._answers():
                    tries += 1
                    if tries == TRIES or isinstance(error, Refused):
                        return logger.warning("not recorded in MLflow: %s", error)
                elif self._closed.is_set():
                    raise
                elif self.failure is None:
                    self.failure = error
                    logger.warning("%s; the run goes on, and its records wait in %s", error, call.parent)
                self._closed.wait(delay)
                delay = min(2 * delay, DELAYS[1])
            except Exception as error:  # No training is lost because of its records.
                return logger.warning("not recorded in MLflow: %r", error)
            else:
                self.sent += 1
                if self.failure is not None:
                    self.failure = None
                    logger.info("MLflow answers again")
                return None
