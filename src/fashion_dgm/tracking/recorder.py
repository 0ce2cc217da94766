"""The record of one session in MLflow: which runs are open, and what is logged in them."""

from __future__ import annotations

import functools
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.tracking.outbox import Outbox, Refused, Sender, Unreachable
from fashion_dgm.tracking.store import Store

if TYPE_CHECKING:
    from fashion_dgm.config import TrackingConfig

__all__ = ["Recorder", "current", "milliseconds", "send_what_waits", "side_channel"]

P = ParamSpec("P")

# In seconds, how long a run waits for the first answer of a server.
PATIENCE = 5

logger = logging.getLogger(__name__)
# Of the session: nodes have no parameter for it.
_current: Recorder | None = None


def current() -> Recorder | None:
    """Returns the recorder of this session, or None where nothing is recorded."""
    return _current


def side_channel(log: Callable[P, None]) -> Callable[P, None]:
    """Lets `log` do nothing where no run is open, and fail with no more than a warning."""

    @functools.wraps(log)
    def logged(*args: P.args, **kwargs: P.kwargs) -> None:
        if _current is None:
            return
        try:
            log(*args, **kwargs)
        except Exception as error:  # No node ends because of its records.
            logger.warning("not recorded in MLflow (%s): %r", log.__name__.lstrip("_"), error)

    return logged


def milliseconds(seconds: float | None = None) -> int:
    """Returns a time, now by default, as MLflow counts it."""
    return int(1000 * (time.time() if seconds is None else seconds))


class Recorder:
    """Opens and ends runs, and puts what is logged in them into the outbox that a thread empties.

    What earlier sessions have left is sent first, and their runs are ended.

    Arguments:
        config: of `tracking.yml`.
        project: its folder.

    Raises:
        FashionDGMError: if the database cannot be used, or the server refuses.
    """

    def __init__(self, config: TrackingConfig, project: Path) -> None:
        self.runs: list[str] = []
        """The keys of the open runs, the innermost last."""
        self.before_first_call: Callable[[], object] | None = None
        """Opens a run whose key is not known before something is logged in it."""
        self._charts = config.charts
        store = Store(project / config.folder, config.experiment)
        _reach(store)
        outboxes = _outboxes(project, config)
        try:
            self._outbox = Outbox.begin(outboxes, store.destination)
        except OSError as error:
            raise FashionDGMError(f"cannot write MLflow's records to {outboxes}: {error.strerror}") from error
        self._sender = _sender(store, outboxes, self._outbox)
        self._sender.start()
        global _current
        _current = self

    def put(self, call: Callable[..., None], **arguments: Any) -> None:
        """Adds a call of `tracking.calls` about the innermost run.

        Raises:
            OSError: if it cannot be written to the outbox.
        """
        if (prepare := self.before_first_call) is not None:
            self.before_first_call = None
            prepare()
        self._outbox.put(call.__name__, {"run": self.runs[-1], **arguments})
        self._sender.wake()

    def start(self, name: str, tags: Mapping[str, str], params: Mapping[str, Any], key: str | None = None) -> None:
        """Opens a run within the innermost one, or goes on with the one of that key."""
        from mlflow.tracking.context.registry import resolve_tags

        from fashion_dgm.tracking.calls import share_view, start_run

        parent = self.runs[-1] if self.runs else None
        self.runs.append(key or uuid.uuid4().hex)
        self._outbox.mark(self.runs[-1], is_open=True)
        texts = {name: str(value) for name, value in params.items()}
        self.put(start_run, name=name, time=milliseconds(), tags=resolve_tags(tags), params=texts, parent=parent)
        if parent is None:
            self.put(share_view, charts=self._charts)

    def watch(self) -> None:
        """Records the machine's load until the innermost run ends."""
        from fashion_dgm.tracking.calls import watch

        self.put(watch, process=os.getpid())

    def end(self, status: str, latest_of: str | None = None) -> None:
        """Ends the innermost run with `status`, one of MLflow's run states."""
        from fashion_dgm.tracking.calls import end_run, share_view

        try:
            if len(self.runs) == 1:
                self.put(share_view, charts=self._charts)
            self.put(end_run, status=status, time=milliseconds(), latest_of=latest_of)
            self._outbox.mark(self.runs[-1], is_open=False)
        finally:
            self.runs.pop()

    def close(self) -> None:
        """Returns once everything is sent, or leaves the rest to the next session if there is no answer."""
        global _current
        _current = None
        self._sender.close()
        if waiting := len(self._outbox.waiting()):
            logger.info(
                "%d records wait for MLflow; the next `kedro run` or `fashion-dgm mlflow-sync` sends them", waiting
            )
        self._outbox.end()


def send_what_waits(config: TrackingConfig, project: Path) -> tuple[int, int]:
    """Sends what earlier sessions have left; returns how many records were sent, and how many wait for other addresses.

    Raises:
        FashionDGMError: if MLflow does not answer, or its database cannot be used.
    """
    store, outboxes = Store(project / config.folder, config.experiment), _outboxes(project, config)
    sender = _sender(store, outboxes, None)
    try:
        _ = store.experiment_id
        sender.run()
    except (Unreachable, Refused) as error:
        sender.failure = error
    if sender.failure is not None:
        raise FashionDGMError(f"{sender.failure}; the records stay in {outboxes}")
    return sender.sent, sum(len(Outbox(folder).waiting()) for folder in outboxes.glob("*"))


def _outboxes(project: Path, config: TrackingConfig) -> Path:
    return project / config.folder / "outbox"


def _sender(store: Store, outboxes: Path, own: Outbox | None) -> Sender:
    from fashion_dgm.tracking.calls import CALLS, end_run

    def send(name: str, arguments: dict[str, Any]) -> None:
        with store.errors():
            CALLS[name](store, **arguments)

    def left() -> Any:
        for outbox in Outbox.left(outboxes, store.destination):
            ended = milliseconds(outbox.last_change())
            for run in outbox.open_runs():
                outbox.put(end_run.__name__, {"run": run, "status": "KILLED", "time": ended})
                outbox.mark(run, is_open=False)
            yield outbox

    return Sender(send, store.answers, left, own)


def _reach(store: Store) -> None:
    """Waits for the server's first answer, but not for long: what is recorded meanwhile waits, too."""
    complaints: list[Exception] = []

    def attempt() -> None:
        try:
            _ = store.experiment_id
        except (FashionDGMError, Refused) as error:
            complaints.append(error)
        except Unreachable:
            pass

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(None if store.is_local else PATIENCE)
    for error in complaints:
        if isinstance(error, FashionDGMError):
            raise error
        raise FashionDGMError(f"MLflow at {store.address} refuses the run: {error}")
