"""The real command, as a user gives it, and what it leaves in MLflow."""

from __future__ import annotations

import functools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.entities import Run

PATIENCE = 900  # seconds; minutes where other programs take the cores


def environment_of(project: Path) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "RAY"))}
    # The copy's own source, wherever the package is installed from.
    return environment | {"PYTHONPATH": str(project / "src"), "COLUMNS": "200"}


def start_kedro(project: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-c",
        "from kedro.framework.cli.cli import main; main()",
        "run",
        "--env",
        "test",
        *arguments,
    ]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=project, env=environment_of(project), stdout=pipe, stderr=pipe, text=True)


@dataclass(frozen=True)
class Ended:
    """How a command ended: `code` is negative if a signal did it, `peak` the bytes of memory that it has had."""

    code: int
    messages: str
    peak: int
    seconds: float


@functools.cache
def forks() -> subprocess.Popen[bytes]:
    command, pipe = [sys.executable, str(Path(__file__).with_name("forks.py"))], subprocess.PIPE
    # Without a buffer, since `select` does not look into it.
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, bufsize=0)


def answered(seconds: float) -> bool:
    return bool(select.select([forks().stdout], [], [], max(seconds, 0))[0])


def command(
    folder: Path, *words: str, environment: Mapping[str, str], signals: Sequence[tuple[float, int]] = ()
) -> Ended:
    """Runs a command in a fork, to save the seconds that its imports take.

    Arguments:
        folder: in which it runs.
        words: `kedro run ...` or `fashion-dgm ...`.
        signals: what it gets after how many seconds, if it has not ended before.
    """
    with tempfile.TemporaryDirectory() as results:
        outputs = [f"{results}/{name}" for name in ("out", "err")]
        order = {"folder": str(folder), "words": words, "environment": dict(environment), "outputs": outputs}
        stdin, stdout = forks().stdin, forks().stdout
        assert stdin is not None and stdout is not None
        stdin.write(f"{json.dumps(order)}\n".encode())
        process, begun = int(stdout.readline()), time.monotonic()
        for seconds, number in signals:
            if answered(begun + seconds - time.monotonic()):
                break
            os.kill(process, number)
        if not answered(PATIENCE):
            os.kill(process, signal.SIGKILL)
            stdout.readline()
            raise subprocess.TimeoutExpired(words, PATIENCE)
        code, peak = stdout.readline().split()
        return Ended(int(code), Path(outputs[1]).read_text(), int(peak), time.monotonic() - begun)


def kedro_run(project: Path, *arguments: str, signals: Sequence[tuple[float, int]] = ()) -> Ended:
    """Runs `kedro run`, in the environment `test` unless `arguments` name another one, which as the last counts."""
    words = ("kedro", "run", "--env", "test", *arguments)
    return command(project, *words, environment=environment_of(project), signals=signals)


def kedro(project: Path, *arguments: str) -> tuple[int, str]:
    """Returns exit code and messages of `kedro run`."""
    ended = kedro_run(project, *arguments)
    return ended.code, ended.messages


def run(project: Path, *arguments: str) -> str:
    """Runs the command, which must succeed, and returns its messages."""
    code, messages = kedro(project, *arguments)
    assert code == 0, messages
    return messages


def refused(project: Path, *arguments: str) -> str:
    """Runs the command, which must fail without a traceback, and returns its last message."""
    code, messages = kedro(project, *arguments)
    assert code != 0
    assert "Traceback" not in messages
    return messages.split("Error: ")[-1]


def copy_of(finished: Path, folder: Path) -> Path:
    """A copy of a project, to be changed at will; MLflow, whose database takes seconds to make, is off."""
    project = Path(shutil.copytree(finished, folder, ignore=shutil.ignore_patterns("09_tracking", "__pycache__")))
    turn_tracking_off(project)
    return project


def turn_tracking_off(project: Path) -> None:
    (project / "conf" / "test" / "tracking.yml").write_text("enabled: false\n")


def metrics_of(project: Path) -> dict[str, Any]:
    """What the report was made of."""
    return json.loads((project / "data" / "08_reporting" / "metrics.json").read_text())


def table_of(project: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(project / "data" / "07_model_output" / f"{name}.csv")


def client_of(project: Path) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{project / 'data' / '09_tracking' / 'mlflow.db'}")


def runs_of(project: Path) -> list[Run]:
    """All runs that the project has recorded, the newest first."""
    client = client_of(project)
    return list(client.search_runs([client.get_experiment_by_name("fashion-dgm").experiment_id]))


def run_of(runs: list[Run], name: str) -> Run:
    return next(run for run in runs if run.info.run_name == name)
