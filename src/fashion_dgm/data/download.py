"""Files by HTTP."""

import re
import time
from pathlib import Path

from fashion_dgm.errors import one_line

__all__ = ["download"]

# What gives less is given up: 60 seconds of grace, then bytes a second on average.
GRACE_SECONDS, LEAST_SPEED = 60, 20_000


def download(url: str, path: Path, timeout: float, most: int) -> None:
    """Writes what is served at `url` to `path`, which may be left incomplete by an error.

    Raises:
        OSError: with the innermost reason alone, in one line, if that fails, a reply takes longer than `timeout` seconds,
            there are more than `most` bytes, or they come too slowly.
    """
    from pooch import HTTPDownloader

    try:
        HTTPDownloader(timeout=timeout, chunk_size=2**16, progressbar=_Bounds(path, most))(url, str(path), None)
    # requests' exceptions are OSErrors; a URL that cannot be parsed is a ValueError too.
    except (OSError, ValueError) as error:
        raise OSError(_cause(error)) from error


class _Bounds:
    """Stands in for pooch's progress bar, which it updates after each piece: a server may send without end."""

    total = 0

    def __init__(self, path: Path, most: int) -> None:
        self._path, self._most, self._start = path, most, time.monotonic()

    def update(self, size: int) -> None:
        written, seconds = self._path.stat().st_size, time.monotonic() - self._start
        if written > self._most:
            raise OSError(f"it sends more than {self._most / 1e6:,.0f} MB")
        if written < LEAST_SPEED * (seconds - GRACE_SECONDS):
            raise OSError(f"it sent {written:,} bytes in {seconds:.0f} seconds, which is too slow")

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass


def _cause(error: BaseException) -> str:
    """The innermost message of nested network errors: the outer ones repeat it among object addresses."""
    inner = next(
        (value for value in (*error.args, getattr(error, "reason", None)) if isinstance(value, Exception)), None
    )
    if inner is not None:
        return _cause(inner)
    return one_line(re.sub(r"^\w+\(host=[^)]*\): ", "", str(error)))
