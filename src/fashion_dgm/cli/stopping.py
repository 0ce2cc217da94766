"""SIGINT and SIGTERM as the end of a command, outside of trainings, whose loop saves first."""

import signal
import sys
from types import FrameType

import click

__all__ = ["STOPPING", "cease", "check", "listen", "stopped"]

STOPPING = (signal.SIGINT, signal.SIGTERM)

_received: signal.Signals | None = None


def listen() -> None:
    """Has SIGINT and SIGTERM interrupt this process as Ctrl-C does, and remembers them."""
    global _received
    _received = None
    sys.unraisablehook = _show
    for number in STOPPING:
        signal.signal(number, _interrupt)


def cease() -> None:
    """Has SIGINT and SIGTERM end this process at once, without a word: nothing is left to be done but to exit."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_DFL)


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _received
    _received = _received or signal.Signals(number)
    raise KeyboardInterrupt


def _show(lost: "sys.UnraisableHookArgs") -> None:
    """Shows an exception that Python ignores, unless it is an interruption, which `check` repeats."""
    if not isinstance(lost.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(lost)


def check() -> None:
    """Interrupts once more if the first time was lost, as exceptions are that C calls back into.

    Raises:
        KeyboardInterrupt: if a signal has been received since `listen`.
    """
    if _received is not None:
        raise KeyboardInterrupt


def stopped(message: str = "", number: int | None = None) -> click.ClickException:
    """Returns what ends the command with one sentence and the exit code of a process that a signal has ended.

    Arguments:
        message: the sentence, if another one is better.
        number: the signal; by default the one received, or SIGINT.
    """
    by = signal.Signals(number or _received or signal.SIGINT)
    end = click.ClickException(message or f"stopped by {by.name}. The same command goes on from what was last saved.")
    # Declared as the class's, but click reads it of each exception.
    end.exit_code = 128 + by  # type: ignore[misc]
    return end
