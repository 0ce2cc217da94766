"""The mirrors that torchvision knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from fashion_dgm.data.sources.request import HTTP_TIMEOUT_SECONDS, Request, SourceError, made, one_line

__all__ = ["from_mirrors"]


def from_mirrors(request: Request) -> Iterator[dict[str, Path]]:
    """Yields what each mirror gives, one after the other."""
    from pooch import HTTPDownloader

    try:
        mirrors = request.raw_set.mirrors()
    # A torchvision that does not match torch fails with a RuntimeError.
    except (ImportError, RuntimeError) as error:
        raise SourceError(f"torchvision, which knows the mirrors, cannot be imported: {error}") from error
    download = HTTPDownloader(timeout=HTTP_TIMEOUT_SECONDS, chunk_size=2**16)
    failures = []
    for number, mirror in enumerate(mirrors):
        place = made(request.workspace / f"mirror{number}")
        for name in sorted(request.missing):
            try:
                download(f"{mirror}{name}.gz", str(place / f"{name}.gz"), None)
            # requests' exceptions are OSErrors; a URL that cannot be parsed is a ValueError too.
            except (OSError, ValueError) as error:
                (place / f"{name}.gz").unlink(missing_ok=True)
                failures.append(f"{urlsplit(mirror).hostname}: {_root_cause(error)}")
                # A host that failed once would cost a timeout for each further file.
                break
        yield request.find(place)
    if failures:
        raise SourceError("; ".join(failures))


def _root_cause(error: BaseException) -> str:
    """The innermost message of nested network errors: the outer ones repeat it among object addresses."""
    inner = next(
        (value for value in (*error.args, getattr(error, "reason", None)) if isinstance(value, Exception)), None
    )
    return one_line(str(error)) if inner is None else _root_cause(inner)
