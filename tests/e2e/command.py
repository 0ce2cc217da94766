"""The real command, as a user gives it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def start_kedro(project: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from kedro.framework.cli.cli import main; main()", "run", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    # The copy's own source, wherever the package is installed from.
    environment |= {"PYTHONPATH": str(project / "src"), "COLUMNS": "200"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=project, env=environment, stdout=pipe, stderr=pipe, text=True)


def kedro(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    process = start_kedro(project, *arguments)
    out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)
