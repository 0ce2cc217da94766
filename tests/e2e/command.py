"""The real command, as a user gives it."""

from __future__ import annotations

import functools
import json
import os
import select
import subprocess
import sys
import tempfile
from pathlib import Path

PATIENCE = 900  # seconds; minutes where other programs take the cores


def environment_of(project: Path) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    # The copy's own source, wherever the package is installed from.
    return environment | {"PYTHONPATH": str(project / "src"), "COLUMNS": "200"}


def start_kedro(project: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from kedro.framework.cli.cli import main; main()", "run", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=project, env=environment_of(project), stdout=pipe, stderr=pipe, text=True)


@functools.cache
def forks() -> subprocess.Popen[str]:
    command, pipe = [sys.executable, str(Path(__file__).with_name("forks.py"))], subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)


def kedro(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in a fork, to save the seconds that its imports take."""
    with tempfile.TemporaryDirectory() as folder:
        outputs = [f"{folder}/{name}" for name in ("out", "err")]
        order = {"project": str(project), "arguments": arguments, "environment": environment_of(project)}
        print(json.dumps(order | {"outputs": outputs}), file=forks().stdin, flush=True)
        if not select.select([forks().stdout], [], [], PATIENCE)[0]:
            forks().kill()
            raise subprocess.TimeoutExpired(arguments, PATIENCE)
        code = int(forks().stdout.readline())
        out, err = (Path(path).read_text() for path in outputs)
    return subprocess.CompletedProcess(arguments, code, out, err)
