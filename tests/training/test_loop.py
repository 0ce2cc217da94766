import logging
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.training import loop
from fashion_dgm.training.device import DeviceError, resolve_device
from fashion_dgm.training.epoch import DivergenceError
from tests.conftest import made_up_images
from tests.training.helpers import NoisyStep, run, same, step_with


class Killed(Exception):
    pass


def killer(epoch: int):
    def kill(row: dict[str, float], seconds: float | None) -> None:
        if row["epoch"] == epoch and seconds is not None:
            raise Killed

    return kill


def test_same_seed_same_run_whatever_the_callers_random_state_which_is_kept(tmp_path: Path) -> None:
    first = run(tmp_path / "a")
    torch.manual_seed(2)
    before = torch.get_rng_state()
    assert same(first, run(tmp_path / "b"))
    assert torch.equal(before, torch.get_rng_state())
    assert not same(first, run(tmp_path / "c", seed=1))


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_resumed_run_ends_bit_for_bit_where_an_uninterrupted_one_does(tmp_path: Path, epoch: int) -> None:
    with pytest.raises(Killed):
        run(tmp_path / "killed", on_epoch=killer(epoch))
    assert same(run(tmp_path / "killed"), run(tmp_path / "whole"))


def test_finished_run_is_reused_without_a_step_and_goes_on_for_more_epochs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(tmp_path / "a", epochs=2)
    with monkeypatch.context() as patch:
        patch.setattr(NoisyStep, "step", None)
        assert same(first, run(tmp_path / "a", epochs=2))
    assert same(run(tmp_path / "a", epochs=4), run(tmp_path / "b", epochs=4))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"batch_size": 8}, "batch_size: 16 -> 8"),
        ({"images": made_up_images(80, seed=9)}, "data"),
        ({"evaluation": {"test": "b"}}, "evaluation.test: a -> b"),
    ],
)
def test_any_change_trains_anew_and_says_which(
    changes: dict[str, Any], said: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(tmp_path / "a", evaluation={"test": "a"})
    changes = {"evaluation": {"test": "a"}, **changes}
    with caplog.at_level(logging.INFO):
        changed = run(tmp_path / "a", **changes)
    assert said in caplog.text
    assert same(changed, run(tmp_path / "b", **changes))


def test_old_model_is_kept_until_the_new_one_is_complete(tmp_path: Path) -> None:
    old = run(tmp_path)
    with pytest.raises(Killed):
        run(tmp_path, seed=5, on_epoch=killer(2))
    assert len(list(tmp_path.iterdir())) == 2
    assert same(old, run(tmp_path))


def test_every_image_is_seen_once_an_epoch_in_a_new_order(tmp_path: Path) -> None:
    seen: list[list[int]] = []
    data = made_up_images(64, seed=0)
    data.images[:, 0, 0, 0] = np.arange(64)
    run(tmp_path, data, step_with(lambda step, images: seen.append(images[:, 0, 0, 0].tolist())), epochs=2)
    first, second = list(chain(*seen[:4])), list(chain(*seen[4:]))
    assert sorted(first) == sorted(second) == list(range(64))
    assert first != second


def test_history_is_the_mean_over_the_steps(tmp_path: Path) -> None:
    def metrics(step: NoisyStep, images: Tensor) -> dict[str, Tensor]:
        return {"always": torch.tensor(float(step.steps))} | ({"rare": torch.tensor(10.0)} if step.steps == 2 else {})

    (row,) = run(tmp_path, make=step_with(metrics), epochs=1).history
    assert (row["epoch"], row["always"], row["rare"]) == (1.0, 3.0, 10.0)


def test_snapshots_and_rows_survive_a_kill(tmp_path: Path) -> None:
    def snapshot(step: NoisyStep, epoch: int):
        return step.layer.state_dict() if epoch != 2 else None

    with pytest.raises(Killed):
        run(tmp_path / "a", snapshot=snapshot, on_epoch=killer(2))
    rows = []
    resumed = run(tmp_path / "a", snapshot=snapshot, on_epoch=lambda row, seconds: rows.append((row, seconds)))
    whole = run(tmp_path / "b", snapshot=snapshot)
    assert list(resumed.snapshots) == [1, 3]
    torch.testing.assert_close(resumed.snapshots, whole.snapshots, rtol=0, atol=0)
    # A tracker that starts with the second session still gets the whole curve.
    assert [row["epoch"] for row, _ in rows] == [1, 2, 3]
    assert [seconds is None for _, seconds in rows] == [True, True, False]


def lose_a_metric(step: NoisyStep, images: Tensor) -> dict[str, Tensor]:
    return {"loss": torch.tensor(float("nan") if step.steps >= 8 else 1.0)}


def lose_the_weights(step: NoisyStep, images: Tensor) -> None:
    """In the last step of the second epoch, whose metrics are still finite."""
    if step.steps == 10:
        step.layer.weight.data.fill_(float("inf"))


@pytest.mark.parametrize(
    ("hook", "message"),
    [
        (lose_a_metric, r"loss became NaN or infinite in epoch 2, first at step 3 of 5.*epoch 1,"),
        (lose_the_weights, "weights of the layer became NaN or infinite in epoch 2"),
    ],
)
def test_a_run_that_diverges_stops_says_where_and_keeps_the_last_good_state(
    hook: Any, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DivergenceError, match=message):
        run(tmp_path, make=step_with(hook))
    (state,) = tmp_path.glob("*/state.pt")
    assert len(torch.load(state, weights_only=True)["history"]) == 1


def test_fewer_images_than_a_batch_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FashionDGMError, match="lower batch_size"):
        run(tmp_path, batch_size=100)


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "tpu"])
def test_absent_device_is_an_error(name: str) -> None:
    with pytest.raises(DeviceError, match=f"device '{name}'"):
        resolve_device(name)


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_resumed_run_keeps_the_number_of_threads_it_began_with(tmp_path: Path) -> None:
    threads = set()
    counting = step_with(lambda step, images: threads.add(torch.get_num_threads()))
    with pytest.raises(Killed):
        run(tmp_path / "a", make=counting, epochs=2, on_epoch=killer(1))
    torch.set_num_threads(1)
    resumed = run(tmp_path / "a", make=counting, epochs=2)
    assert torch.get_num_threads() == 1
    assert threads == {2}
    torch.set_num_threads(2)
    assert same(resumed, run(tmp_path / "b", epochs=2))


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_random_state_of_the_device_is_saved_and_given_back(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # A stand-in for the device's generator, for a machine without it.
    states = {"now": torch.tensor([1], dtype=torch.uint8)}
    module = getattr(torch, kind)
    monkeypatch.setattr(module, "get_rng_state", lambda *device: states["now"].clone())
    monkeypatch.setattr(module, "set_rng_state", lambda state, *device: states.update(now=state))
    device = torch.device(kind)
    saved = loop._random_state(device)
    with loop._random_state_kept(device):
        states["now"] = torch.tensor([2], dtype=torch.uint8)
        loop._set_random_state(saved, device)
        assert states["now"].item() == 1
        states["now"] = torch.tensor([3], dtype=torch.uint8)
    assert states["now"].item() == 1
