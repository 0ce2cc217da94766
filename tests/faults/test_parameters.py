"""Parameters drawn by chance for the real command: each set is refused in a sentence, or runs; nothing is a traceback."""

import os
import random
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader

from fashion_dgm.pipeline_registry import DEFAULT, register_pipelines
from fashion_dgm.settings import CONFIG_LOADER_ARGS
from tests.conftest import ROOT
from tests.e2e.command import Ended, Forks, Signal
from tests.faults.report import Counts

TRIES = int(os.environ.get("FAULTS_PARAMETERS", "200"))
# After so many seconds a run that goes on is stopped: some counts may be as large as one likes. Then it must end.
STOPPED = (Signal(signal.SIGTERM, 45), Signal(signal.SIGKILL, 135))
VALUES = (
    *("null", "true", "text", "''", "[]", "[1]", "[0.5,0.5]", "{a: 1}", "nan", "inf", "~nosuchuser/x", "../..", "é"),
    *("-1", "0", "1", "2", "3", "7", "61", "1000000", "1000000000", "10000000000000", "1" + "0" * 40),
    *("-0.5", "0.0", "0.5", "0.999999", "1.0", "1e-300", "1e300"),
)


def places() -> dict[str, tuple[str, str]]:
    """By the name of a parameter, such as `train_gan.optimizer.betas`, its block and the node that is run to try it.

    Of the pipelines of a plain `kedro run`, whose inputs are there.
    """
    values = OmegaConfigLoader(str(ROOT / "conf"), "test", **CONFIG_LOADER_ARGS)["parameters"]
    pipelines = register_pipelines()
    nodes: dict[str, str] = {}
    for pipeline in DEFAULT:
        for node in pipelines[pipeline].nodes:
            for name in node.inputs:
                if name.startswith("params:") and name != "params:data_mismatch":
                    nodes.setdefault(name.removeprefix("params:"), node.name)
    return {f"{block}.{path}": (block, node) for block, node in nodes.items() for path in leaves(values[block])}


def leaves(values: Any) -> Iterator[str]:
    for name, value in values.items():
        yield name
        if isinstance(value, Mapping):
            yield from (f"{name}.{inner}" for inner in leaves(value))


def outcome(ended: Ended) -> str:
    if ended.code == -signal.SIGKILL:
        # It did not end when asked to.
        return "silent"
    # The signal itself ends a command that has not begun.
    if "Traceback" in ended.messages or ended.code not in (0, 1, 2, 128 + signal.SIGTERM, -signal.SIGTERM):
        return "traceback"
    return "refused" if ended.code in (1, 2) else "harmless"


def test_any_parameters_are_refused_in_a_sentence_or_run(copy: Path, commands: Forks, counts: Counts) -> None:
    rng, known = random.Random(0), places()
    for _ in range(TRIES):
        name = rng.choice(sorted(known))
        block, node = known[name]
        same_block = [other for other, (its, _) in known.items() if its == block and other != name]
        names = [name, *(rng.sample(sorted(same_block), 1) if rng.random() < 0.3 else [])]
        changes = ",".join(f"{one}={rng.choice(VALUES)}" for one in names)
        ended = commands.run(
            copy, "kedro", "run", "--env", "test", "--nodes", node, "--params", changes, signals=STOPPED
        )
        counts.add("parameters: drawn by chance", outcome(ended), f"{changes}\n{ended.messages[-600:]}")
    assert counts.bad == []
