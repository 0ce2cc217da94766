"""Two processes train together on the CPU, through gloo."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from fashion_dgm.config import DistributedConfig, FlowTrainingConfig
from fashion_dgm.training.device import DeviceError
from fashion_dgm.training.distributed.job_directory import JobDirectory
from fashion_dgm.training.distributed.launch import LaunchError, launch
from fashion_dgm.training.epoch import DivergenceError, EpochRow
from fashion_dgm.training.interruption import Interrupted
from fashion_dgm.training.store import StateStore
from tests.conftest import made_up_images
from tests.training import crew
from tests.training.helpers import config
from tests.training.victims import ADAM, COMMON, SMALL_FLOW

DATA = made_up_images(80, seed=0)
TWO = {"processes_per_node": 2}
# Long enough for a signal to find it in the middle.
LONG = made_up_images(600, seed=0), config(batch_size=2, epochs=4, distributed=TWO)


def flow_config(**changes: Any) -> FlowTrainingConfig:
    values = {**COMMON, "model": SMALL_FLOW, "optimizer": ADAM, "max_gradient_norm": 50, "evaluation_images": 20}
    return FlowTrainingConfig(**{**values, **changes})


class Rows:
    """What the driver receives, and in which process."""

    def __init__(self) -> None:
        self.epochs: list[float] = []
        self.history: list[EpochRow] = []
        self.pids: set[int] = set()

    def __call__(self, row: EpochRow, seconds: float | None) -> None:
        self.epochs.append(row["epoch"])
        self.history.append(row)
        self.pids.add(os.getpid())


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Rows, Path]:
    """One launch of two processes, and what came of it."""
    folder, rows = tmp_path_factory.mktemp("together"), Rows()
    result = launch(
        crew.everything,
        config(batch_size=8, distributed=TWO),
        rows,
        data=DATA,
        flow_config=flow_config(batch_size=8, epochs=3),
        long=LONG,
        folder=folder,
    )
    return result, rows, folder


def assert_close(one: Any, other: Any) -> None:
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def assert_same(one: Any, other: Any) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_two_processes_train_as_one_with_the_double_batch(together: Any, tmp_path: Path) -> None:
    alone = crew.train_linear(DATA, config(batch_size=16), StateStore(tmp_path), Rows())
    for part in ("history", "weights"):
        assert_close(together[0]["linear"][part], alone[part])


def test_actnorm_is_set_by_the_batches_of_all(together: Any, tmp_path: Path) -> None:
    alone = crew.train_quiet_flow(DATA, flow_config(batch_size=16, epochs=3), StateStore(tmp_path), Rows())
    for part in ("history", "weights"):
        assert_close(together[0]["flow"][part], alone[part])


def test_each_process_draws_noise_of_its_own(together: Any) -> None:
    first, second = together[0]["noisy"]["noise"]
    assert not torch.equal(first, second)


def test_the_driver_alone_hears_of_each_epoch_once(together: Any) -> None:
    result, rows, folder = together
    assert result["world_size"] == 2
    assert rows.epochs == [1, 2, 3]
    assert rows.history == result["linear"]["history"]
    assert rows.pids == {os.getpid()}
    assert len(list(folder.glob("linear/*/state.pt"))) == 1


def test_processes_import_neither_kedro_nor_mlflow_and_share_the_cores(together: Any) -> None:
    result, _, _ = together
    assert result["not_allowed"] == [[], []]
    assert result["threads"] == [max(1, torch.get_num_threads() // 2)] * 2


def test_what_fails_on_the_main_rank_fails_on_all(together: Any) -> None:
    assert together[0]["errors"] == ["the disk is full"] * 2


def test_machines_with_different_devices_are_refused(together: Any) -> None:
    first, second = together[0]["device"]
    assert first.replace("'cpu'", "'meta'") == second
    assert "process 0 cpu, process 1 none" in first


def test_killed_process_is_replaced_and_nothing_is_lost(together: Any, tmp_path: Path) -> None:
    rows = Rows()
    result = launch(
        crew.train_dying,
        config(batch_size=8, distributed=TWO),
        rows,
        data=DATA,
        store=StateStore(tmp_path / "state"),
        mark=tmp_path / "killed",
        always=False,
    )
    assert (tmp_path / "killed").exists()
    assert rows.epochs == [1, 2, 3]
    assert_same(result, together[0]["noisy"])


def test_process_that_is_killed_too_often_is_a_clear_message(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"process 1 was killed by SIGKILL.*0 restarts.*last saved state is kept"):
        launch(
            crew.train_dying,
            config(batch_size=8, distributed={**TWO, "max_restarts": 0}),
            Rows(),
            data=DATA,
            store=StateStore(tmp_path / "state"),
            mark=tmp_path / "killed",
            always=True,
        )


def test_divergence_of_one_process_stops_all_with_its_message(tmp_path: Path) -> None:
    with pytest.raises(DivergenceError, match="loss became NaN or infinite in epoch 1, first at step 3 of 5"):
        launch(
            crew.train_diverging, config(batch_size=8, distributed=TWO), Rows(), data=DATA, store=StateStore(tmp_path)
        )


def test_asked_to_stop_saves_in_the_middle_of_an_epoch_and_goes_on(together: Any, tmp_path: Path) -> None:
    data, settings = LONG

    class Stopping(Rows):
        def __call__(self, row: EpochRow, seconds: float | None) -> None:
            super().__call__(row, seconds)
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted, match=r"stopped by SIGTERM after .* epoch \d of 4\. The state is saved"):
        launch(crew.train_noisy, settings, Stopping(), data=data, store=StateStore(tmp_path))
    (state,) = tmp_path.glob("*/state.pt")
    assert len(torch.load(state, weights_only=True)["history"]) < 4
    rows = Rows()
    resumed = launch(crew.train_noisy, settings, rows, data=data, store=StateStore(tmp_path))
    assert rows.epochs == [1, 2, 3, 4]
    assert_same(resumed, together[0]["long"])


def test_two_machines_train_together(together: Any, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        rendezvous = f"localhost:{probe.getsockname()[1]}"
    command = [sys.executable, "-m", "fashion_dgm.training.distributed.join", "--nodes", "2", rendezvous]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as other:
        result = launch(
            crew.train_noisy,
            config(batch_size=8, distributed={"nodes": 2, "rendezvous": rendezvous}),
            Rows(),
            data=DATA,
            store=StateStore(tmp_path / "state"),
        )
        _, said = other.communicate(timeout=60)
    assert other.returncode == 0, said
    assert said.splitlines()[-1].endswith("is done")
    assert_same(result, together[0]["noisy"])


def test_several_machines_need_a_place_to_meet() -> None:
    with pytest.raises(ValidationError, match="several nodes need a rendezvous"):
        DistributedConfig(nodes=2)
    with pytest.raises(ValidationError, match="rendezvous"):
        DistributedConfig(nodes=2, rendezvous="no port")


@pytest.mark.parametrize("device", ["cuda", "gpu"])
def test_absent_device_is_refused_before_anything_starts(device: str, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(DeviceError, match=device):
        launch(crew.train_linear, config(device=device, distributed=TWO), Rows(), data=DATA, store=StateStore(tmp_path))


def test_one_process_is_this_one(tmp_path: Path) -> None:
    calls = []

    def entry(**arguments: Any) -> int:
        calls.append(sorted(arguments))
        return 7

    assert launch(entry, config(), Rows(), data=DATA) == 7
    assert calls == [["config", "data", "on_epoch"]]


def test_news_are_read_line_by_line_and_never_twice(tmp_path: Path) -> None:
    writer, reader = JobDirectory(tmp_path), JobDirectory(tmp_path)
    writer.report_epoch({"epoch": 1.0}, None)
    with (tmp_path / "epochs.jsonl").open("a") as file:
        file.write('[{"epoch": 2.0}')
    assert reader.new_epochs() == [({"epoch": 1.0}, None)]
    assert reader.new_epochs() == []
    with (tmp_path / "epochs.jsonl").open("a") as file:
        file.write(", 0.5]\n")
    writer.report_epoch({"epoch": 1.0}, None)
    assert reader.new_epochs() == [({"epoch": 2.0}, 0.5)]
