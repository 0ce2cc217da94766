"""Training is killed at random moments and ends where an undisturbed run ends, to the bit.

A moment is a number of calls of the package's functions, so the moments are the same on every machine.
"""

import functools
import multiprocessing
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training import victims

CONTEXT = multiprocessing.get_context("forkserver")
# The first optimizer of a process imports `torch._dynamo`, for seconds.
CONTEXT.set_forkserver_preload(["tests.training.victims", "torch._dynamo"])
KILLS = 4
pytestmark = pytest.mark.slow

Undisturbed = Callable[[str], tuple[dict[str, Any], int]]


def train(family: str, folder: Path, moment: tuple[int, int] | None = None, file_limit: int | None = None) -> int:
    """Returns the exit code of a process that trains in `folder`."""
    process = CONTEXT.Process(target=victims.work, args=(family, folder, moment, file_limit))
    process.start()
    process.join(300)
    return process.exitcode


def state_of(folder: Path) -> Path:
    (state,) = (folder / "state").glob("*/state.pt")
    return state


def result(folder: Path) -> dict[str, Any]:
    return torch.load(folder / "result.pt", weights_only=True)[0]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """What a family ends with, and after how many calls."""

    @functools.cache
    def run(family: str) -> tuple[dict[str, Any], int]:
        folder = tmp_path_factory.mktemp(family)
        assert train(family, folder) == victims.FINISHED
        return torch.load(folder / "result.pt", weights_only=True)

    return run


assert_same = functools.partial(torch.testing.assert_close, rtol=0, atol=0)


@pytest.mark.parametrize("family", victims.FAMILIES)
def test_killed_at_random_moments(family: str, tmp_path: Path, undisturbed: Undisturbed) -> None:
    expected, calls = undisturbed(family)
    moments = random.Random(family)
    codes = []
    while len(codes) < KILLS and victims.FINISHED not in codes:
        codes.append(train(family, tmp_path, (moments.randrange(1, 6 * calls // 10), signal.SIGKILL)))
    assert codes[0] == -signal.SIGKILL and set(codes) <= {-signal.SIGKILL, victims.FINISHED}
    assert train(family, tmp_path) == victims.FINISHED
    assert_same(result(tmp_path), expected)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("family", ["realnvp", "wgan"])
def test_asked_to_stop_saves_in_the_middle_of_an_epoch(
    family: str, number: signal.Signals, tmp_path: Path, undisturbed: Undisturbed
) -> None:
    expected, calls = undisturbed(family)
    assert train(family, tmp_path, (calls // 2, number)) == victims.STOPPED
    assert len(torch.load(state_of(tmp_path), weights_only=True)["history"]) < victims.EPOCHS
    assert train(family, tmp_path) == victims.FINISHED
    assert_same(result(tmp_path), expected)


def test_full_disk_loses_nothing_and_says_so(tmp_path: Path, undisturbed: Undisturbed) -> None:
    expected, calls = undisturbed("gan")
    assert train("gan", tmp_path, (calls // 2, signal.SIGKILL)) == -signal.SIGKILL
    state = state_of(tmp_path)
    # From here on, a file as large as the state does not fit.
    assert train("gan", tmp_path, file_limit=state.stat().st_size // 2) == victims.FAILED
    assert "Free some space" in (tmp_path / "error.txt").read_text()
    assert not list(state.parent.glob(".state*")), "a half-written file was left behind"
    assert train("gan", tmp_path) == victims.FINISHED
    assert_same(result(tmp_path), expected)


def test_both_states_damaged_starts_anew(tmp_path: Path, undisturbed: Undisturbed) -> None:
    assert train("wgan", tmp_path) == victims.FINISHED
    for state in (tmp_path / "state").glob("*/*.pt"):
        state.write_bytes(b"")
    assert train("wgan", tmp_path) == victims.FINISHED
    assert_same(result(tmp_path), undisturbed("wgan")[0])
