"""Lends this machine to a run that was started on another.

The command is `python -m fashion_dgm.training.distributed.join --nodes 2 HOST:PORT`. It needs the package, in the
same version, and nothing else: the job comes with data and parameters from the other machine.
"""

import argparse
import logging
import sys
import tempfile
from pathlib import Path

from pydantic import ValidationError

from fashion_dgm.config import DistributedConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.training.distributed.job_directory import JobDirectory
from fashion_dgm.training.distributed.launch import attend

__all__ = ["main"]

logger = logging.getLogger("fashion_dgm.training.distributed.join")


def main(arguments: list[str] | None = None) -> None:
    """Takes part in one training and ends with it."""
    parser = argparse.ArgumentParser(prog="python -m fashion_dgm.training.distributed.join", description=__doc__)
    parser.add_argument("rendezvous", metavar="HOST:PORT", help="the run's distributed.rendezvous")
    parser.add_argument("--nodes", type=int, default=2, help="number of machines, as in the run (default: 2)")
    parser.add_argument(
        "--processes-per-node", type=int, default=1, help="processes on this machine, as in the run (default: 1)"
    )
    parser.add_argument(
        "--max-restarts", type=int, default=1, help="restarts after a lost process, as in the run (default: 1)"
    )
    logging.basicConfig(format="%(asctime)s  %(levelname)-7s  %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("fashion_dgm").setLevel(logging.INFO)
    try:
        distributed = DistributedConfig(**vars(parser.parse_args(arguments)))
        logger.info("waiting for a run at %s", distributed.rendezvous)
        with tempfile.TemporaryDirectory(prefix="fashion-dgm-") as folder:
            attend(JobDirectory(Path(folder)), distributed, hosts=False)
    except ValidationError as error:
        parser.error("; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()))
    except FashionDGMError as error:
        sys.exit(f"Error: {error}")
    logger.info("the run at %s is done", distributed.rendezvous)


if __name__ == "__main__":
    main()
