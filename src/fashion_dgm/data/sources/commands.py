"""Other programs: run with a time limit, their complaints put into one line."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from fashion_dgm.data.sources.request import SourceError, one_line

__all__ = ["only_file", "run"]

COMMAND_TIMEOUT_SECONDS = 300


def run(command: Sequence[str], folder: Path) -> None:
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


def only_file(folder: Path, pattern: str, command: str) -> Path:
    """Returns the one file that `command` left; raises `SourceError` if it left none or several."""
    files = list(folder.glob(pattern))
    if len(files) != 1:
        raise SourceError(f"{command} left {len(files)} files {pattern} instead of one")
    return files[0]
