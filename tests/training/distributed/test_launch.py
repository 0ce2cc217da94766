"""Two processes train together on the CPU, through gloo."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from pydantic import ValidationError

from fashion_dgm.config import DistributedConfig
from fashion_dgm.training.device import DeviceError
from fashion_dgm.training.distributed.job_directory import JobDirectory
from fashion_dgm.training.distributed.launch import LaunchError, launch
from fashion_dgm.training.epoch import DivergenceError, EpochRow
from fashion_dgm.training.interruption import Interrupted
from fashion_dgm.training.store import StateStore
from tests.conftest import made_up_images
from tests.small import COUPLINGS, flow_config
from tests.training import crew
from tests.training.helpers import NoisyStep, config

DATA = made_up_images(80, seed=0)
TWO = {"processes_per_node": 2}
# Long enough for a signal to find it in the middle.
LONG = made_up_images(100, seed=0), config(batch_size=2, epochs=4, distributed=TWO)
QUIET = flow_config(model={**COUPLINGS, "checkerboard_couplings": 1, "channel_couplings": 1}, epochs=3)


LOOPBACK_ONLY = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}

# Each process that is started imports torch.
pytestmark = pytest.mark.slow


def listening() -> set[str]:
    """The addresses at which this process and all that it has started listen."""
    own, addresses = psutil.Process(), set()
    for process in (own, *own.children(True)):
        # A process may end while it is looked at.
        with contextlib.suppress(psutil.NoSuchProcess):
            connections = process.net_connections("tcp")
            addresses |= {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}
    return addresses


class Rows(list):
    """What the driver receives, and in which process; and where anything listens meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: set[str] = set()

    def __call__(self, row: EpochRow, seconds: float | None) -> None:
        self.append((row, os.getpid()))
        self.addresses |= listening()

    @property
    def epochs(self) -> list[float]:
        return [row["epoch"] for row, _ in self]


def start(tmp_path: Path, make: Any, rows: Any = None, settings: Any = None, data: Any = DATA) -> dict[str, Any]:
    """Trains in two processes, unless `settings` are others."""
    settings = settings or config(batch_size=8, distributed=TWO)
    return launch(
        crew.train_steps,
        settings,
        Rows() if rows is None else rows,
        data=data,
        store=StateStore(tmp_path / "state"),
        make=make,
    )


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Rows, Path]:
    """One launch of two processes, and what came of it."""
    folder, rows = tmp_path_factory.mktemp("together"), Rows()
    result = launch(
        crew.everything,
        config(batch_size=8, distributed=TWO),
        rows,
        data=DATA,
        flow_config=QUIET.model_copy(update={"batch_size": 8}),
        long=LONG,
        folder=folder,
    )
    return result, rows, folder


def test_processes_of_one_machine_listen_on_its_loopback_interface_alone(together: Any) -> None:
    with socket.create_server(("", 0)):
        assert not listening() <= LOOPBACK_ONLY
    # Where gloo listens; a store there is none.
    addresses = together[1].addresses
    assert addresses and addresses <= LOOPBACK_ONLY


@pytest.mark.parametrize("part", ["linear", "flow"])
def test_two_processes_train_as_one_with_the_double_batch_actnorm_included(
    together: Any, part: str, tmp_path: Path
) -> None:
    settings, make = {"linear": (config(), crew.SilentStep), "flow": (QUIET, partial(crew.QuietFlowStep, QUIET))}[part]
    alone = crew.train_steps(DATA, settings, StateStore(tmp_path), Rows(), make)
    for name in ("history", "weights"):
        torch.testing.assert_close(together[0][part][name], alone[name], rtol=1e-5, atol=1e-6)


def test_the_driver_alone_hears_of_each_epoch_once(together: Any) -> None:
    result, rows, folder = together
    assert result["world_size"] == 2
    assert rows.epochs == [1, 2, 3]
    assert rows == [(row, os.getpid()) for row in result["linear"]["history"]]
    assert len(list(folder.glob("linear/*/state.pt"))) == 1


def test_processes_have_noise_and_cores_of_their_own_and_neither_kedro_nor_mlflow(together: Any) -> None:
    result, _, _ = together
    assert not torch.equal(*result["noisy"]["noise"])
    assert result["threads"] == [max(1, torch.get_num_threads() // 2)] * 2
    assert result["not_allowed"] == [[], []]


def test_what_fails_on_the_main_rank_fails_on_all_and_different_devices_are_refused(together: Any) -> None:
    assert together[0]["errors"] == ["the disk is full"] * 2
    first, second = together[0]["device"]
    assert first.replace("'cpu'", "'meta'") == second
    assert "process 0 cpu, process 1 none" in first


def test_killed_process_is_replaced_and_nothing_is_lost(together: Any, tmp_path: Path) -> None:
    rows = Rows()
    result = start(tmp_path, partial(crew.Dying, mark=tmp_path / "killed"), rows)
    assert (tmp_path / "killed").exists()
    assert rows.epochs == [1, 2, 3]
    torch.testing.assert_close(result, together[0]["noisy"], rtol=0, atol=0)


def test_process_that_is_killed_too_often_is_a_clear_message(tmp_path: Path) -> None:
    once = config(batch_size=8, distributed={**TWO, "max_restarts": 0})
    with pytest.raises(LaunchError, match=r"process 1 was killed by SIGKILL.*0 restarts.*last saved state is kept"):
        start(tmp_path, partial(crew.Dying, mark=tmp_path / "killed", always=True), settings=once)


def test_divergence_of_one_process_stops_all_with_its_message(tmp_path: Path) -> None:
    with pytest.raises(DivergenceError, match="loss became NaN or infinite in epoch 1, first at step 3 of 5"):
        start(tmp_path, crew.Diverging)


def test_asked_to_stop_saves_in_the_middle_of_an_epoch_and_goes_on(together: Any, tmp_path: Path) -> None:
    data, settings = LONG

    def stop(row: EpochRow, seconds: float | None) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted, match=r"stopped by SIGTERM after .* epoch \d of 4\. The state is saved"):
        start(tmp_path, crew.SlowStep, stop, settings, data)
    (state,) = tmp_path.glob("state/*/state.pt")
    assert len(torch.load(state, weights_only=True)["history"]) < 4
    rows = Rows()
    resumed = start(tmp_path, crew.SlowStep, rows, settings, data)
    assert rows.epochs == [1, 2, 3, 4]
    torch.testing.assert_close(resumed, together[0]["long"], rtol=0, atol=0)


def test_two_machines_train_together(together: Any, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        rendezvous = f"localhost:{probe.getsockname()[1]}"
    command = [sys.executable, "-m", "fashion_dgm.training.distributed.join", "--nodes", "2", rendezvous]
    rows = Rows()
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as other:
        both = config(batch_size=8, distributed={"nodes": 2, "rendezvous": rendezvous})
        result = start(tmp_path, NoisyStep, rows, both)
        _, said = other.communicate(timeout=60)
    assert other.returncode == 0, said
    assert said.splitlines()[-1].endswith("is done")
    assert rows.addresses <= LOOPBACK_ONLY
    torch.testing.assert_close(result, together[0]["noisy"], rtol=0, atol=0)


def test_several_machines_need_a_place_to_meet() -> None:
    with pytest.raises(ValidationError, match="several nodes need a rendezvous"):
        DistributedConfig(nodes=2)
    with pytest.raises(ValidationError, match="rendezvous"):
        DistributedConfig(nodes=2, rendezvous="no port")


def test_absent_device_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="gpu"):
        start(tmp_path, crew.SilentStep, settings=config(device="gpu", distributed=TWO))


def test_one_process_is_this_one() -> None:
    found = launch(lambda **arguments: (os.getpid(), sorted(arguments)), config(), Rows(), data=DATA)
    assert found == (os.getpid(), ["config", "data", "on_epoch"])


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


def test_a_process_whose_driver_went_before_it_began_ends(tmp_path: Path) -> None:
    environment = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2"}
    command = [sys.executable, "-m", "fashion_dgm.training.distributed.worker", str(tmp_path), "127.0.0.1"]
    # The other process, for which it would wait, never comes.
    done = subprocess.run(
        [*command, str(2**22)],
        env=os.environ | environment | {"TORCHELASTIC_RESTART_COUNT": "0"},
        timeout=120,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
