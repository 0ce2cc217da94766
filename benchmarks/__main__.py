"""`python -m benchmarks`: runs all benchmarks, prints a table of each and saves it."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

import torch

from benchmarks import flow, frechet, gan, machine, page, project, results, size
from benchmarks.hardware import describe
from fashion_dgm.training.device import resolve_device

__all__ = ["BENCHMARKS", "main"]

BENCHMARKS: dict[str, tuple[str, Callable[[torch.device, bool], list[results.Row]]]] = {
    "gan": ("GAN against the plain loop", partial(gan.run, "GAN")),
    "wgan": ("WGAN against the plain loop", partial(gan.run, "WGAN")),
    "flow": ("RealNVP against normflows", flow.run),
    "frechet": ("Fréchet distance against pytorch-fid, 2048 dimensions", frechet.run),
    "machine": ("How close to the machine", machine.run),
    "size": ("Cost against size", size.run),
    "memory": ("Peak memory of the training pipelines", project.memory),
    "data_split": ("From raw files to splits", project.data_split),
    "registry": ("Time to list the pipelines", project.registry),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="fewer rounds: for trying the benchmarks themselves")
    parser.add_argument("--device", default="auto", help="auto (the default), cpu or cuda")
    parser.add_argument("--table", action="store_true", help="print what is saved as Markdown, and run nothing")
    parser.add_argument(
        "--page", action="store_true", help="write what is saved into the documentation, and run nothing"
    )
    given = parser.parse_args(arguments)
    if given.table:
        print(results.markdown(results.load_all()), end="")
    elif given.page:
        page.update()
    else:
        _run(given.only or list(BENCHMARKS), resolve_device(given.device), given.quick)


def _run(names: Sequence[str], device: torch.device, quick: bool) -> None:
    # Epochs of a benchmark are no news.
    logging.getLogger("fashion_dgm").setLevel(logging.WARNING)
    print(", ".join(f"{key} {value}" for key, value in describe(str(device)).items()))
    for name in names:
        title, benchmark = BENCHMARKS[name]
        print(f"\n{title} ...", flush=True)
        started = time.perf_counter()
        rows = benchmark(device, quick)
        path = results.save(name, title, rows, str(device), quick)
        print(results.plain(rows))
        print(f"{time.perf_counter() - started:.0f} s; saved to benchmarks/results/{path.name}")


if __name__ == "__main__":
    main()
