"""Files by HTTP."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["download", "one_line"]

MAX_LENGTH = 300


def download(url: str, path: Path, timeout: float) -> None:
    """Writes what is served at `url` to `path`, which may be left incomplete by an error.

    Raises:
        OSError: with the innermost reason alone, in one line, if that fails or a reply takes longer than `timeout` seconds.
    """
    from pooch import HTTPDownloader

    try:
        HTTPDownloader(timeout=timeout, chunk_size=2**16)(url, str(path), None)
    # requests' exceptions are OSErrors; a URL that cannot be parsed is a ValueError too.
    except (OSError, ValueError) as error:
        raise OSError(_cause(error)) from error


def one_line(text: str) -> str:
    """Returns a message on one line, shortened if it is long."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_LENGTH else f"{line[: MAX_LENGTH - 1]}…"


def _cause(error: BaseException) -> str:
    """The innermost message of nested network errors: the outer ones repeat it among object addresses."""
    inner = next(
        (value for value in (*error.args, getattr(error, "reason", None)) if isinstance(value, Exception)), None
    )
    if inner is not None:
        return _cause(inner)
    return one_line(re.sub(r"^\w+\(host=[^)]*\): ", "", str(error)))
