"""The real command, as a user gives it, and what it leaves in MLflow."""

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


def python(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs Python with the project's own package."""
    options = {
        "cwd": project,
        "env": environment_of(project),
        "capture_output": True,
        "text": True,
        "timeout": PATIENCE,
    }
    return subprocess.run([sys.executable, *arguments], **options)


@dataclass(frozen=True)
class Ended:
    """How a command ended: `code` is negative if a signal did it, `peak` the bytes of memory that it has had."""

    code: int
    messages: str
    peak: int
    seconds: float


@dataclass(frozen=True)
class Signal:
    """What a command gets so many seconds after a text has been among its messages so many times, if it still runs."""

    number: int
    seconds: float
    text: str = ""
    times: int = 0


class Forks:
    """A process whose forks run commands, to save the seconds that their imports take.

    Arguments:
        options: of `forks.py`.
    """

    def __init__(self, *options: str) -> None:
        command, pipe = [sys.executable, str(Path(__file__).with_name("forks.py")), *options], subprocess.PIPE
        # Without a buffer, since `select` does not look into it.
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, bufsize=0)

    def run(
        self, folder: Path, *words: str, environment: Mapping[str, str] | None = None, signals: Sequence[Signal] = ()
    ) -> Ended:
        """Runs a command.

        Arguments:
            folder: in which it runs.
            words: `kedro run ...` or `fashion-dgm ...`.
            environment: `environment_of(folder)`, if it is None.
            signals: what it gets, one after the other.
        """
        with tempfile.TemporaryDirectory() as results:
            out, err = (Path(results) / name for name in ("out", "err"))
            out.touch(), err.touch()
            order = {"folder": str(folder), "words": words, "environment": dict(environment or environment_of(folder))}
            assert self.process.stdin is not None
            self.process.stdin.write(f"{json.dumps(order | {'outputs': [str(out), str(err)]})}\n".encode())
            fork, begun = int(self._line()), time.monotonic()
            for each in signals:
                while err.read_text().count(each.text) < each.times and not self._ended(0.01):
                    pass
                if self._ended(each.seconds):
                    break
                os.kill(fork, each.number)
            if not self._ended(PATIENCE):
                os.kill(fork, signal.SIGKILL)
                self._line()
                raise subprocess.TimeoutExpired(words, PATIENCE)
            code, peak = self._line().split()
            return Ended(int(code), err.read_text(), int(peak), time.monotonic() - begun)

    def _ended(self, seconds: float) -> bool:
        return bool(select.select([self.process.stdout], [], [], seconds)[0])

    def _line(self) -> bytes:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


forks = functools.cache(Forks)


def kedro(project: Path, *arguments: str, signals: Sequence[Signal] = ()) -> tuple[int, str]:
    """Returns exit code and messages of `kedro run`.

    It runs in the environment `test`, unless `arguments` name another one, which as the last counts.
    """
    ended = forks().run(project, "kedro", "run", "--env", "test", *arguments, signals=signals)
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


def copy_of(finished: Path, folder: Path, left_out: str = "", tracking: bool = False) -> Path:
    """A copy of a project, to be changed at will; MLflow, whose database takes seconds to make, is off by default."""
    ignored = shutil.ignore_patterns("09_tracking", "__pycache__", left_out)
    project = Path(shutil.copytree(finished, folder, ignore=ignored))
    if not tracking:
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
