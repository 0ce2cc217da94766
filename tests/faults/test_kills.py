"""Commands are stopped by signals at moments drawn by chance; the same command then ends as if nothing had happened."""

import functools
import os
import random
import shutil
import signal
from pathlib import Path

import pytest
from kedro.framework.project import pipelines

from fashion_dgm.pipeline_registry import DEFAULT
from tests.e2e.command import Ended, Forks, Signal
from tests.faults.conftest import catalog_of
from tests.faults.report import Counts

ROUNDS = int(os.environ.get("FAULTS_ROUNDS", "2"))  # of three signals, for each pipeline
CODES = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 128 + signal.SIGTERM, signal.SIGINT: 128 + signal.SIGINT}


def made_by(project: Path, pipeline: str) -> list[Path]:
    """The files and folders that a pipeline fills, hashes, states of training and cached features among them."""
    catalog = catalog_of(project)
    nodes = pipelines[pipeline]
    kept = [name for name in nodes.inputs() if name.endswith(("_state", "_cache", "_progress"))]
    paths = [Path(catalog.get(name)._filepath) for name in {*nodes.all_outputs(), *kept} if name in catalog]
    return [project / path for path in paths]


def remove(paths: list[Path]) -> None:
    for path in paths:
        for one in (path, path.parent / ".sha256" / path.name):
            shutil.rmtree(one) if one.is_dir() else one.unlink(missing_ok=True)


def files(project: Path) -> dict[str, bytes]:
    """All files of a project's data by name; of states of training only the names, since they hold durations."""
    # The run that the expected files are of was recorded.
    others = (".lock", "mlflow_run")
    found = sorted(path for path in (project / "data").rglob("*") if path.is_file() and path.name not in others)
    return {str(path.relative_to(project)): b"" if path.suffix == ".pt" else path.read_bytes() for path in found}


def outcome(stopped: Ended, sent: Signal, whole: Ended, same: bool) -> str:
    if "Traceback" in stopped.messages + whole.messages:
        return "traceback"
    if whole.code != 0 or not same:
        return "lost"
    # It came after the last node.
    if "completed successfully" in stopped.messages and stopped.code in (0, -sent.number):
        return "harmless"
    said = sent.number == signal.SIGKILL or f"stopped by {signal.Signals(sent.number).name}" in stopped.messages
    return "recovered" if stopped.code == CODES[sent.number] and said else "silent"


@pytest.mark.parametrize("pipeline", DEFAULT)
def test_a_stopped_command_goes_on(copy: Path, commands: Forks, counts: Counts, pipeline: str) -> None:
    """It is stopped by one signal after another, and then left to end."""
    made, expected = made_by(copy, pipeline), files(copy)
    rng, nodes = random.Random(pipeline), len(pipelines[pipeline].nodes)
    attack = "killed: a training" if pipeline.startswith("train_") else "killed: another pipeline"
    for _ in range(ROUNDS):
        remove(made)
        run = functools.partial(commands.run, copy, "kedro", "run", "--env", "test", "--pipelines", pipeline)
        signals = [Signal(number, rng.random(), "Running node", rng.randint(1, nodes)) for number in CODES]
        rng.shuffle(signals)
        stopped = [run(signals=[sent]) for sent in signals]
        whole, found = run(), files(copy)
        changed = [name for name in sorted({*found, *expected}) if found.get(name) != expected.get(name)]
        for sent, ended in zip(signals, stopped, strict=True):
            moment = f"{signal.Signals(sent.number).name} {sent.seconds:.2f} s after node {sent.times} of {nodes} began"
            said = f"{ended.messages[-800:]}\n{whole.messages[-800:]}"
            detail = f"{pipeline}, {moment}: {ended.code}, {whole.code}, {changed}\n{said}"
            counts.add(attack, outcome(ended, sent, whole, not changed), detail)
    assert counts.bad == []
