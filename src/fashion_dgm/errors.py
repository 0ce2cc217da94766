"""The errors a user can cause: each says what is wrong, where, and what to do."""

import signal

__all__ = ["FashionDGMError", "Interrupted", "one_line", "printable"]

MAX_LENGTH = 300


class FashionDGMError(Exception):
    """Base of every error whose message is meant for the user and needs no traceback."""


class Interrupted(FashionDGMError):
    """Training was asked to stop by `signal`, and has saved its state."""

    def __init__(self, message: str, number: int = signal.SIGINT) -> None:
        super().__init__(message)
        self.signal = signal.Signals(number)


def one_line(text: str) -> str:
    """Returns a message on one line, shortened if it is long."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_LENGTH else f"{line[: MAX_LENGTH - 1]}…"


def printable(text: str) -> str:
    """Returns a message with what steers a terminal, as names of files may, as escape sequences."""
    return "".join(each if each.isprintable() or each in "\n\t" else repr(each)[1:-1] for each in text)
