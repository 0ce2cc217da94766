"""Training in several processes, on one machine or several, driven by the process that asks for it.

torch's elastic agent (the engine of `torchrun`) runs in a thread of the driver and starts the processes; if one is
lost, it starts all of them again, and they go on from the last saved state. They import the library and nothing above
it. The driver alone hears of epochs and gets the result, so one catalog and one MLflow run are enough.
"""

import gc
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch

from fashion_dgm.config import DistributedConfig, TrainingConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.training.device import DeviceError, resolve_device
from fashion_dgm.training.distributed.job_directory import JobDirectory
from fashion_dgm.training.distributed.network import BACKEND, LOOPBACK, WAIT, address_towards, register_backend
from fashion_dgm.training.epoch import EpochRow
from fashion_dgm.training.interruption import Interrupted, stop_request

__all__ = ["LaunchError", "attend", "launch"]

logger = logging.getLogger(__name__)

R = TypeVar("R")

# In seconds, how often the driver looks for news.
LOOK_EVERY = 0.1
# In seconds, how long processes may take to stop when the driver itself has failed.
PATIENCE = 60


class LaunchError(FashionDGMError):
    """Processes of a distributed run were lost, or did not find one another."""


def launch(
    entry: Callable[..., R],
    config: TrainingConfig,
    on_epoch: Callable[[EpochRow, float | None], None],
    **arguments: Any,
) -> R:
    """Returns `entry(config=config, on_epoch=on_epoch, **arguments)`, run as `config.distributed` asks.

    One process is this one. Several are started anew and call `entry` together; each needs its arguments, so these
    must be picklable, and `entry` a function that can be imported. `on_epoch` is called here either way.

    Raises:
        LaunchError: if processes were lost more often than `max_restarts`, or other machines didn't join.
        Interrupted: after SIGINT or SIGTERM, once the state is saved.
        FashionDGMError: what `entry` raises.
    """
    distributed = config.distributed
    if distributed.processes == 1:
        return entry(config=config, on_epoch=on_epoch, **arguments)
    _check_device(config.device, distributed)
    with tempfile.TemporaryDirectory(prefix="fashion-dgm-") as folder:
        directory = JobDirectory(Path(folder))
        directory.put_job(entry, {**arguments, "config": config})
        attend(directory, distributed, hosts=True, on_epoch=on_epoch)
        return directory.result()


def attend(
    directory: JobDirectory,
    distributed: DistributedConfig,
    hosts: bool,
    on_epoch: Callable[[EpochRow, float | None], None] = lambda row, seconds: None,
) -> None:
    """Runs this machine's processes until they are done, and passes on what they report.

    Arguments:
        hosts: whether the job is this machine's, or that of the one at `distributed.rendezvous`.

    Raises:
        FashionDGMError: as `launch`.
    """
    failures: list[Exception] = []

    def supervise() -> None:
        try:
            _run_agent(directory, distributed, hosts)
        except Exception as error:
            failures.append(error)

    agent = threading.Thread(target=supervise, daemon=True)
    with stop_request() as stop:
        agent.start()
        try:
            while agent.is_alive():
                agent.join(LOOK_EVERY)
                if stop.signal is not None:
                    directory.ask_to_stop(stop.signal)
                    if not directory.started:
                        raise Interrupted(f"stopped by {stop.signal.name} before training began", stop.signal)
                for row, seconds in directory.new_epochs():
                    on_epoch(row, seconds)
        except Interrupted:
            raise
        except BaseException:
            directory.ask_to_stop(signal.SIGTERM)
            agent.join(PATIENCE)
            raise
        if hosts and directory.has_result():
            return
        if (error := directory.error()) is not None:
            raise error
        if failures:
            raise _explained(failures[0], distributed) from failures[0]


def _run_agent(directory: JobDirectory, distributed: DistributedConfig, hosts: bool) -> None:
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    # In the store that agents share by default, processes that are started again find the addresses of the lost ones
    # (seen with torch 2.15; pytorch issue 135712).
    os.environ["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"
    # Logs at WARNING that it handles no signals; here the driver does.
    logging.getLogger("torch.distributed.elastic.multiprocessing.api").setLevel(logging.ERROR)
    alone = distributed.nodes == 1
    address = LOOPBACK if alone else address_towards(distributed.rendezvous)
    register_backend()
    launch_config = LaunchConfig(
        min_nodes=distributed.nodes,
        max_nodes=distributed.nodes,
        nproc_per_node=distributed.processes_per_node,
        # Machines that shall meet must ask for the same run.
        run_id="fashion-dgm",
        rdzv_backend="c10d" if alone else BACKEND,
        rdzv_endpoint=str(directory.folder / "rendezvous") if alone else distributed.rendezvous,
        rdzv_configs={"store_type": "file", "is_host": hosts, "join_timeout": WAIT},
        # A machine's own name may not be known to itself, nor to others.
        local_addr=address,
        max_restarts=distributed.max_restarts,
        logs_specs=DefaultLogsSpecs(log_dir=str(directory.folder / "logs")),
    )
    try:
        elastic_launch(launch_config, sys.executable)(
            "-m", "fashion_dgm.training.distributed.worker", str(directory.folder), address, str(os.getpid())
        )
    finally:
        # The store is part of a cycle, and would take the port from the next training, or other machines for it.
        gc.collect()


def _check_device(name: str, distributed: DistributedConfig) -> None:
    device = resolve_device(name)
    if device.type not in ("cpu", "cuda"):
        raise DeviceError(f"several processes can't share device {device.type!r}; set `device: cpu`")
    if torch.device(name if name != "auto" else device.type).index is not None:
        raise DeviceError(f"device {name!r} is one GPU, and each process needs its own; set `device: cuda`")
    if device.type == "cuda" and torch.cuda.device_count() < distributed.processes_per_node:
        raise DeviceError(
            f"{distributed.processes_per_node} processes need a GPU each, and this machine has "
            f"{torch.cuda.device_count()}; lower distributed.processes_per_node"
        )


def _explained(failure: Exception, distributed: DistributedConfig) -> Exception:
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.elastic.rendezvous import RendezvousError

    if isinstance(failure, ChildFailedError):
        rank, end = failure.get_first_failure()
        how = f"was killed by {end.signal_name()}" if end.exitcode < 0 else f"failed with exit code {end.exitcode}"
        return LaunchError(
            f"process {rank} {how}, and {distributed.max_restarts} restarts are used up; its output is above. The "
            "last saved state is kept: the same command resumes from it."
        )
    if isinstance(failure, RendezvousError):
        return LaunchError(
            f"{distributed.nodes} machines did not find one another at {distributed.rendezvous}: {failure}. On each of "
            "the others, run: python -m fashion_dgm.training.distributed.join "
            f"--nodes {distributed.nodes} --processes-per-node {distributed.processes_per_node} "
            f"{distributed.rendezvous}"
        )
    return failure
