"""One process of a distributed run, started by torch's elastic agent as `python -m` of this module with a folder."""

import io
import logging
import os
import pickle
import sys
import threading
import time
from pathlib import Path

import torch
import torch.distributed as dist
from torch._C._distributed_c10d import FileStore, Store

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.training.device import DeviceError, resolve_device
from fashion_dgm.training.distributed import ranks
from fashion_dgm.training.distributed.job_directory import JobDirectory
from fashion_dgm.training.distributed.network import interface_of, store_at
from fashion_dgm.training.interruption import Interrupted, StopRequest, inherit

__all__ = ["agree_on_device", "main"]

logger = logging.getLogger("fashion_dgm.training.distributed.worker")

# In seconds, how often a process looks whether its driver is still there and wants it to go on.
WATCH_EVERY = 0.1


def main(folder: Path, address: str, driver: int) -> None:
    """Takes part in the job that is in the directory of this machine or of another one.

    Arguments:
        folder: of this machine's `JobDirectory`.
        address: of this machine, where it talks to the other processes.
        driver: number of the process that has started this one, and may be gone already.
    """
    directory = JobDirectory(folder)
    request = StopRequest()
    inherit(request)
    threading.Thread(target=_watch, args=(directory, request, driver), daemon=True).start()
    _share_machine()
    restart = int(os.environ["TORCHELASTIC_RESTART_COUNT"])
    _meet(folder / f"store_{restart}", address)
    ranks.elect_main(int(os.environ["LOCAL_RANK"]) == 0 and directory.job() is not None)
    job = ranks.from_main(directory.job)
    assert job is not None
    stream = io.BytesIO(job)
    sys.path.extend(path for path in pickle.load(stream) if path not in sys.path)
    entry, arguments, level = pickle.load(stream)
    _set_up_logging(level)
    if restart:
        logger.warning("a process was lost; all start again from the last saved state (restart %d)", restart)

    directory.report_start()
    try:
        agree_on_device(arguments["config"].device)
        report = directory.report_epoch if ranks.is_main() else lambda row, seconds: None
        result = entry(**arguments, on_epoch=report)
    except Interrupted as error:
        directory.put_error(ranks.rank(), error)
    except FashionDGMError as error:
        # Ends in good order: a process that fails is started again, which mends no mistake of the user's.
        directory.put_error(ranks.rank(), error)
        _leave()
    else:
        if ranks.is_main():
            directory.put_result(result)
    # Nobody hangs up on a process that is still reading.
    dist.barrier()
    _leave()


def _meet(file: Path, address: str) -> None:
    """Sets up torch's communication: by a file and the loopback interface, unless there are other machines."""
    number, of = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    alone = of == int(os.environ["LOCAL_WORLD_SIZE"])
    for library in ("GLOO", "NCCL"):
        name = f"{library}_SOCKET_IFNAME"
        os.environ[name] = interface_of(address) if alone else os.environ.get(name) or interface_of(address)
    if alone:
        store: Store = FileStore(str(file), of)
    else:
        store = store_at(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), serve=number == 0, processes=of)
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, store=store, rank=number, world_size=of)


def _leave() -> None:
    """Ends the process at once: in an ordinary exit, threads of torch's that are still about abort it now and then."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _watch(directory: JobDirectory, request: StopRequest, driver: int) -> None:
    """Passes on the driver's wish to stop; without a driver there is nobody left to train for."""
    while os.getppid() == driver:
        request.signal = request.signal or directory.asked_to_stop()
        time.sleep(WATCH_EVERY)
    os._exit(1)


def agree_on_device(name: str) -> None:
    """Checks that all ranks come to devices of one kind, which several machines need not.

    Raises:
        DeviceError: on every rank, if they don't.
    """
    try:
        kind = resolve_device(name).type
    except DeviceError:
        kind = "none"
    kinds = ranks.gathered(kind)
    if len(set(kinds)) > 1:
        found = ", ".join(f"process {rank} {kind}" for rank, kind in enumerate(kinds))
        raise DeviceError(f"device {name!r} is not the same on all machines: {found}; set `device: cpu`")


def _share_machine() -> None:
    """Takes this process's GPU, and its share of the processor's cores."""
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
    torch.set_num_threads(max(1, torch.get_num_threads() // int(os.environ["LOCAL_WORLD_SIZE"])))


def _set_up_logging(level: int) -> None:
    """Writes lines as `conf/logging.yml` has them; the main rank speaks for all."""
    logging.basicConfig(format="%(asctime)s  %(levelname)-7s  %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("fashion_dgm").setLevel(level if ranks.is_main() else logging.ERROR)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
