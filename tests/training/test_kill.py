"""Training is killed at random moments and ends where an undisturbed run ends, to the bit."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training import victims

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.training.victims"])
KILLS = 4


def start(family: str, folder: Path, file_limit: int | None = None) -> Any:
    started = CONTEXT.Event()
    process = CONTEXT.Process(target=victims.work, args=(family, folder, started, file_limit))
    process.start()
    assert started.wait(60)
    return process


def wait_for_state(folder: Path) -> Path:
    """Returns the state file as soon as the first epoch has left one."""
    while not (found := list((folder / "state").glob("*/state.pt"))):
        time.sleep(0.002)
    return found[0]


def finish(process: Any) -> int:
    process.join(60)
    return process.exitcode


def result(folder: Path) -> dict[str, Any]:
    return torch.load(folder / "result.pt", weights_only=True)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[dict[str, Any], float]]:
    """What each family ends with, and how long it takes."""
    runs = {}
    for family in victims.FAMILIES:
        folder = tmp_path_factory.mktemp(family)
        process = start(family, folder)
        began = time.monotonic()
        assert finish(process) == victims.FINISHED
        runs[family] = result(folder), time.monotonic() - began
    return runs


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize("family", victims.FAMILIES)
def test_killed_at_random_moments(family: str, tmp_path: Path, undisturbed: Any) -> None:
    expected, seconds = undisturbed[family]
    moments = random.Random(family)
    killed = 0
    while killed < KILLS:
        process = start(family, tmp_path)
        process.join(moments.uniform(0, 0.6 * seconds))
        if process.is_alive():
            process.kill()
            assert finish(process) == -signal.SIGKILL
            killed += 1
        elif process.exitcode == victims.FINISHED:
            break
        else:
            pytest.fail(f"the {family} failed with exit code {process.exitcode}")
    assert finish(start(family, tmp_path)) == victims.FINISHED
    assert killed
    assert_same(result(tmp_path), expected)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("family", ["realnvp", "wgan"])
def test_asked_to_stop_saves_in_the_middle_of_an_epoch(
    family: str, number: signal.Signals, tmp_path: Path, undisturbed: Any
) -> None:
    process = start(family, tmp_path)
    wait_for_state(tmp_path)
    os.kill(process.pid, number)
    assert finish(process) == victims.STOPPED
    (state,) = (tmp_path / "state").glob("*/state.pt")
    assert len(torch.load(state, weights_only=True)["history"]) < victims.COMMON["epochs"]
    assert finish(start(family, tmp_path)) == victims.FINISHED
    assert_same(result(tmp_path), undisturbed[family][0])


def test_full_disk_loses_nothing_and_says_so(tmp_path: Path, undisturbed: Any) -> None:
    process = start("gan", tmp_path)
    state = wait_for_state(tmp_path)
    process.kill()
    process.join()
    # From here on, a file as large as the state does not fit.
    assert finish(start("gan", tmp_path, file_limit=state.stat().st_size // 2)) == victims.FAILED
    assert "Free some space" in (tmp_path / "error.txt").read_text()
    assert not list(state.parent.glob(".state*")), "a half-written file was left behind"
    assert finish(start("gan", tmp_path)) == victims.FINISHED
    assert_same(result(tmp_path), undisturbed["gan"][0])


def test_both_states_damaged_starts_anew(tmp_path: Path, undisturbed: Any) -> None:
    assert finish(start("wgan", tmp_path)) == victims.FINISHED
    for state in (tmp_path / "state").glob("*/*.pt"):
        state.write_bytes(b"")
    assert finish(start("wgan", tmp_path)) == victims.FINISHED
    assert_same(result(tmp_path), undisturbed["wgan"][0])
