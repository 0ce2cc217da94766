"""Commands are stopped by signals at moments drawn by chance; the same command then ends as if nothing had happened."""

from __future__ import annotations

import itertools
import os
import random
import re
import shutil
import signal
from pathlib import Path

import pytest
from kedro.config import OmegaConfigLoader
from kedro.framework.project import configure_project, pipelines
from kedro.io import DataCatalog

from fashion_dgm.pipeline_registry import DEFAULT
from tests.e2e.command import Ended, Forks, Signal
from tests.faults.report import Counts

BEGINS = "Running node"
KILLS = int(os.environ.get("FAULTS_KILLS", "6"))  # of each pipeline
CODES = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 128 + signal.SIGTERM, signal.SIGINT: 128 + signal.SIGINT}


def made_by(project: Path, pipeline: str) -> list[Path]:
    """The files and folders that a pipeline fills, hashes, states of training and cached features among them."""
    configure_project("fashion_dgm")
    nodes = pipelines[pipeline]
    loader = OmegaConfigLoader(str(project / "conf"), base_env="base", default_run_env="test")
    catalog = DataCatalog.from_config(loader["catalog"])
    kept = [name for name in nodes.inputs() if name.endswith(("_state", "_cache"))]
    paths = [Path(catalog.get(name)._filepath) for name in {*nodes.all_outputs(), *kept} if name in catalog]
    return [project / path for path in paths]


def remove(paths: list[Path]) -> None:
    for path in paths:
        for one in (path, path.parent / ".sha256" / path.name):
            shutil.rmtree(one) if one.is_dir() else one.unlink(missing_ok=True)


def files(project: Path) -> dict[str, bytes]:
    """All files of a project's data by name; of states of training only the names, since they hold durations."""
    found = sorted(path for path in (project / "data").rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(project)): b"" if path.suffix == ".pt" else path.read_bytes() for path in found}


def outcome(stopped: Ended, again: Ended, number: signal.Signals, same: bool) -> str:
    if "Traceback" in stopped.messages + again.messages:
        return "traceback"
    if again.code != 0 or not same:
        return "lost"
    if stopped.code == 0 and "stopped by" not in stopped.messages:
        return "harmless"
    said = number == signal.SIGKILL or f"stopped by {number.name}" in stopped.messages
    return "recovered" if stopped.code == CODES[number] and said else "silent"


@pytest.mark.parametrize("pipeline", DEFAULT)
def test_a_stopped_command_goes_on(copy: Path, commands: Forks, counts: Counts, pipeline: str) -> None:
    made, command = made_by(copy, pipeline), ("kedro", "run", "--env", "test", "--pipelines", pipeline)
    remove(made)
    whole = commands.run(copy, *command)
    assert whole.code == 0
    expected, nodes = files(copy), whole.messages.count(BEGINS)
    seconds = float(re.findall(r"successfully in ([\d.]+) sec", whole.messages)[0]) / nodes
    rng, numbers = random.Random(pipeline), itertools.cycle(CODES)
    for _ in range(KILLS):
        sent = Signal(next(numbers), rng.random() * seconds, BEGINS, rng.randint(1, nodes))
        remove(made)
        stopped = commands.run(copy, *command, signals=[sent])
        again = commands.run(copy, *command)
        found = files(copy)
        changed = [name for name in sorted({*found, *expected}) if found.get(name) != expected.get(name)]
        moment = f"{sent.number.name} {sent.seconds:.2f} s after node {sent.times} of {nodes} began"
        detail = f"{pipeline}, {moment}: {stopped.code}, {again.code}, {changed}"
        attack = "killed: a training" if pipeline.startswith("train_") else "killed: another pipeline"
        what = outcome(stopped, again, sent.number, not changed)
        counts.add(attack, what, f"{detail}\n{stopped.messages[-800:]}\n{again.messages[-800:]}")
    assert counts.bad == []
