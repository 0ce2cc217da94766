"""What is asked of a source, what it gives, and how it says that it gives nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from fashion_dgm.data.raw_sets import RawSet

__all__ = ["HTTP_TIMEOUT_SECONDS", "Request", "Source", "SourceError", "find", "made", "one_line"]

HTTP_TIMEOUT_SECONDS = 20
MAX_REASON_LENGTH = 300


@dataclass
class Request:
    """What is to be fetched; `missing` shrinks as files arrive."""

    raw_set: RawSet
    folder: Path
    missing: set[str]
    workspace: Path
    local_folder: Path | None

    def find(self, folder: Path) -> dict[str, Path]:
        """Those of the missing files that lie in a folder."""
        return find(folder, self.missing)


class SourceError(Exception):
    """Why a source gives nothing, or nothing more."""


# Gives, in one or more goes, the paths of missing files by name; stopped as soon as none is missing.
Source = Callable[[Request], Iterator[dict[str, Path]]]


def find(folder: Path, names: Collection[str]) -> dict[str, Path]:
    """Those of the files that lie in a folder, plain or with the ending .gz, by name."""
    candidates = ((name, folder / f"{name}{ending}") for name in sorted(names) for ending in (".gz", ""))
    # The plain file comes last and so wins. Path.exists raises where a folder may not be entered.
    return {name: path for name, path in candidates if os.path.exists(path)}


def made(folder: Path) -> Path:
    """Makes a folder with its parents if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def one_line(text: str) -> str:
    """Returns a message on one line, shortened if it is long."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_REASON_LENGTH else f"{line[: MAX_REASON_LENGTH - 1]}…"
