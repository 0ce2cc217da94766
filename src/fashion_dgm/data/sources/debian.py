"""A Debian package, installed or unpacked without root."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fashion_dgm.data.sources.commands import only_file, run
from fashion_dgm.data.sources.request import HTTP_TIMEOUT_SECONDS, Request, SourceError, made

__all__ = ["from_debian_package"]


def from_debian_package(request: Request) -> Iterator[dict[str, Path]]:
    """Yields what the installed package holds, then what `apt-get download` and `dpkg -x` give."""
    package, installed = request.raw_set.debian_package, request.raw_set.debian_folder
    if package is None or installed is None:
        raise SourceError("no Debian package is known to hold it")
    yield request.find(Path(installed))
    archive = _download_deb(package, request.workspace)
    unpacked = made(request.workspace / "deb")
    run(["dpkg", "-x", str(archive), str(unpacked)], request.workspace)
    yield request.find(unpacked / installed.lstrip("/"))


def _download_deb(package: str, workspace: Path) -> Path:
    folder = made(workspace / "apt")
    download = ["apt-get", "download", package]
    try:
        run(download, folder)
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
            run(["apt-get", *options, "update"], folder)
        except SourceError as failure:
            # One broken repository fails the update; the lists of the others may be all that is needed.
            update_failure = f"; {failure}"
        try:
            run([*download, *options], folder)
        except SourceError as failure:
            raise SourceError(f"{failure}{update_failure}; before the update: {error}") from failure
    return only_file(folder, "*.deb", "apt-get download")
