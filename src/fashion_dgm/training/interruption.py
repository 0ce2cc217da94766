"""Ctrl-C and SIGTERM as a wish to stop after the current step."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from fashion_dgm.errors import Interrupted
from fashion_dgm.training.distributed.ranks import gathered, world_size

__all__ = ["Interrupted", "StopRequest", "inherit", "stop_request"]


# Ranks compare their requests at every so many steps, as that takes a message between them.
COMPARE_EVERY = 10


class StopRequest:
    """Whether someone has asked to stop; read by the loop after each step."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def agreed(self, step: int = 0) -> signal.Signals | None:
        """Returns the signal that this rank or another one was asked by, after the same step on all of them."""
        if world_size() == 1:
            return self.signal
        if step % COMPARE_EVERY:
            return None
        return max((number for number in gathered(self.signal) if number), default=None)


_inherited: StopRequest | None = None


def inherit(request: StopRequest) -> None:
    """Makes `request`, which someone else fills in, this process's only one: signals are left alone."""
    global _inherited
    _inherited = request


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Yields a request that the first SIGINT or SIGTERM fills in; a second SIGINT acts at once, as ever.

    A request that comes after the last look at it is passed on to whoever handled the signal before. Only the main thread
    may handle signals; elsewhere the request stays empty.
    """
    if _inherited is not None:
        yield _inherited
        return
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, frame: FrameType | None) -> None:
        request.signal = signal.Signals(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    for number in before:
        signal.signal(number, ask)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if request.signal is not None:
        signal.raise_signal(request.signal)
