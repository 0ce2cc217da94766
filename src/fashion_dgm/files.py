"""Files of which a reader sees the old one or the new one, never half of either, nor one that was damaged since."""

import contextlib
import glob
import os
import pickle
import secrets
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import IO

from fashion_dgm.errors import FashionDGMError, one_line

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

__all__ = [
    "DAMAGED",
    "atomic_folder",
    "atomic_path",
    "check_zip",
    "expanded",
    "opened",
    "readable",
    "unreadable",
    "write_bytes",
]

DAMAGED = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError, TypeError, ValueError),
    *(pickle.UnpicklingError, struct.error, zipfile.BadZipFile, zlib.error),
)
"""What libraries raise when they read a file that is damaged or of another kind, once it could be opened."""


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Yields a file to read from; a file that this user may not read is none that is damaged.

    Raises:
        FileNotFoundError: if it is not there.
        FashionDGMError: if it cannot be opened.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise FashionDGMError(unreadable(path, error)) from error
    with file:
        yield file


def unreadable(path: object, error: OSError) -> str:
    """Returns what the user is told of a file that cannot be opened."""
    return f"{path} cannot be read: {error.strerror or error}. Make it a file that this user may read, and try again."


def check_zip(file: IO[bytes]) -> None:
    """Compares all members of a zip archive, such as torch writes, with their checksums, which torch does not.

    Raises:
        ValueError: if one differs; and others of `DAMAGED` if `file` is no such archive.
    """
    with zipfile.ZipFile(file) as archive:
        bad = archive.testzip()
    if bad is not None:
        raise ValueError(f"the checksum of its part {bad} is wrong")
    file.seek(0)


def expanded(path: Path | str) -> Path:
    """Returns a path of the user's with the home folder in the place of `~`.

    Raises:
        FashionDGMError: if there is no such user.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise FashionDGMError(f"{one_line(str(path))} begins with the home folder of an unknown user") from error


def readable(path: Path | str) -> Path:
    """Returns a path of the user's, expanded, at which there is a file or a folder.

    Raises:
        FashionDGMError: if there is none, it cannot be looked at, or it is a pipe or a device, which may never end.
    """
    found, shown = expanded(path), one_line(str(path))
    try:
        mode = found.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FashionDGMError(
            f"there is no file or folder {shown}; a relative path starts where the command runs"
        ) from error
    # A null byte in a path is a ValueError.
    except (OSError, ValueError) as error:
        raise FashionDGMError(f"cannot read {shown}: {getattr(error, 'strerror', None) or error}") from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise FashionDGMError(f"{shown} is a pipe, a socket or a device, which may never end; copy it to a file")
    return found


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yields a temporary sibling that replaces `path` on success and vanishes on failure.

    Raises:
        FashionDGMError: if the folder cannot be made or written to, or the disk is full.
    """
    path = Path(path)
    with _replacing(path), _temporary(path, partial(Path.touch, exist_ok=False), path.suffix) as new:
        yield new
        with new.open("rb") as written:
            os.fsync(written.fileno())
        new.replace(path)


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """Writes a file as `atomic_path` does."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yields an empty temporary sibling that replaces the folder `path` as a whole on success and vanishes on failure.

    Systems exchange folders in two steps; a process killed between them leaves none, never a mixture.

    Raises:
        FashionDGMError: if the folder cannot be made or written to, or the disk is full.
    """
    path = Path(path)
    with _replacing(path), _temporary(path, Path.mkdir) as new:
        yield new
        old = new.with_name(f"{new.name}.old")
        if path.exists():
            path.rename(old)
        try:
            new.rename(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise
    _remove(old)


@contextlib.contextmanager
def _temporary(path: Path, make: Callable[[Path], None], suffix: str = "") -> Iterator[Path]:
    """Makes and locks a sibling of `path` and removes it in the end, and before that those whose process was killed."""
    with contextlib.ExitStack() as stack:
        while True:
            new = path.with_name(f".{path.name}.{secrets.token_hex(4)}{suffix}")
            make(new)
            stack.callback(_remove, new)
            # Until it is locked, another process may take it for one of a killed process, and remove it.
            stack.enter_context(_locked(new, wait=True))
            if new.exists():
                break
        pattern = f".{glob.escape(path.name)}.{'?' * 8}{glob.escape(suffix)}"
        for left in [*path.parent.glob(pattern), *path.parent.glob(f"{pattern}.old")]:
            with _locked(left) as unused:
                if unused:
                    _remove(left)
        yield new


@contextlib.contextmanager
def _locked(path: Path, wait: bool = False) -> Iterator[bool]:
    """Yields whether a file or folder could be locked, which it is within a `with` statement."""
    with contextlib.ExitStack() as stack:
        locked = False
        if fcntl is not None:
            with contextlib.suppress(OSError):
                handle = os.open(path, os.O_RDONLY)
                stack.callback(os.close, handle)
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                # A process forked meanwhile has the handle, too, so closing it is not enough.
                stack.callback(fcntl.flock, handle, fcntl.LOCK_UN)
                locked = True
        yield locked


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[None]:
    """Makes the folder that `path` lies in, makes the replacement survive a power cut, and explains errors of the system."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
        if hasattr(os, "O_DIRECTORY"):  # where the system lets a folder be opened
            handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
    except OSError as error:
        raise FashionDGMError(
            f"cannot write {path}: {error.strerror or error}. Free some space or make the folder writable; "
            "what was there before is untouched."
        ) from error
