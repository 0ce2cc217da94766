"""Parameters drawn by chance for the real command: each set is refused in a sentence, or runs; nothing is a traceback.

`make test-faults` writes the counts into the documentation.
"""

from __future__ import annotations

import datetime
import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader

from fashion_dgm.pipeline_registry import DEFAULT, register_pipelines
from fashion_dgm.settings import CONFIG_LOADER_ARGS
from tests.conftest import ROOT
from tests.e2e.command import start_kedro

TRIES = int(os.environ.get("FAULTS_PARAMETERS", "200"))
# Seconds after which a run that goes on is stopped: some counts may be as large as one likes.
PATIENCE = int(os.environ.get("FAULTS_PATIENCE", "60"))
OUTCOMES = ("refused", "ran", "stopped", "traceback", "hung")
MARK = "<!-- parameters -->"
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


def outcome(project: Path, arguments: list[str]) -> tuple[str, str]:
    process = start_kedro(project, *arguments)
    try:
        _, messages = process.communicate(timeout=PATIENCE)
        went_on = False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        went_on = True
        try:
            _, messages = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            return "hung", process.communicate()[1]
    if "Traceback" in messages or process.returncode < 0:
        return "traceback", messages
    return ("stopped" if went_on else "refused" if process.returncode else "ran"), messages


@pytest.fixture
def counts() -> Iterator[Counter[str]]:
    """The number of each outcome; written to the file that FAULTS_REPORT names."""
    found: Counter[str] = Counter()
    yield found
    if report := os.environ.get("FAULTS_REPORT"):
        write(Path(report), found)


def write(page: Path, counts: Counter[str]) -> None:
    git = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    lines = [
        f"| tried | {' | '.join(OUTCOMES)} |",
        f"|---|{'---|' * len(OUTCOMES)}",
        f"| {sum(counts.values())} | {' | '.join(str(counts[name]) for name in OUTCOMES)} |",
        "",
        f"Made on {datetime.datetime.now(datetime.UTC):%Y-%m-%d} at commit {commit} by `make test-faults`.",
    ]
    before, _, rest = page.read_text(encoding="utf-8").partition(MARK)
    after = rest.partition(MARK)[2]
    page.write_text("\n".join([before + MARK, *lines, MARK + after]), encoding="utf-8")


def test_any_parameters_are_refused_in_a_sentence_or_run(copy: Path, counts: Counter[str]) -> None:
    rng, known, bad = random.Random(0), places(), []
    for _ in range(TRIES):
        name = rng.choice(sorted(known))
        block, node = known[name]
        same_block = [other for other, (its, _) in known.items() if its == block and other != name]
        names = [name, *(rng.sample(sorted(same_block), 1) if rng.random() < 0.3 else [])]
        changes = ",".join(f"{one}={rng.choice(VALUES)}" for one in names)
        found, messages = outcome(copy, ["--nodes", node, "--params", changes])
        counts[found] += 1
        if found in ("traceback", "hung"):
            bad.append(f"{changes}: {messages[-600:]}")
    assert bad == []
