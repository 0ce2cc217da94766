"""A folder of the user's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fashion_dgm.data.sources.request import Request, SourceError

__all__ = ["from_local_folder"]


def from_local_folder(request: Request) -> Iterator[dict[str, Path]]:
    """Yields what the configured folder holds."""
    if request.local_folder is None:
        raise SourceError("no local folder is configured")
    if not request.local_folder.is_dir():
        raise SourceError(f"{request.local_folder} is not a folder")
    yield request.find(request.local_folder)
