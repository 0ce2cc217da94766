"""`python -m benchmarks`: runs all benchmarks, prints a table of each and saves it."""

import argparse
import importlib
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks import results
from benchmarks.hardware import describe
from benchmarks.logs import epochs_logged_to
from fashion_dgm.training.device import resolve_device

__all__ = ["BENCHMARKS", "main", "run"]

BENCHMARKS = {
    "gan": ("GAN against the plain loop", "gan:run_gan"),
    "wgan": ("WGAN against the plain loop", "gan:run_wgan"),
    "wgan_gp": ("WGAN-GP against the plain loop", "gan:run_wgan_gp"),
    "flow": ("RealNVP against normflows", "flow:run"),
    "frechet": ("Fréchet distance against pytorch-fid, 2048 dimensions", "frechet:run"),
    "machine": ("How close to the machine", "machine:run"),
    "size": ("Cost against size", "size:run"),
    "memory": ("Peak memory of the training pipelines", "project:memory"),
    "data_split": ("From raw files to splits", "project:data_split"),
    "registry": ("Time to list the pipelines", "project:registry"),
}
"""Title, and module and function: imported when it runs, since each needs packages that the others do without."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        choices=BENCHMARKS,
        metavar="NAME",
        help=f"a benchmark: {', '.join(BENCHMARKS)} (default: all)",
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds: for trying the benchmarks themselves")
    parser.add_argument("--device", default="auto", help="auto (the default), cpu or cuda")
    parser.add_argument("--table", action="store_true", help="print the saved results as Markdown, and run nothing")
    parser.add_argument(
        "--page", action="store_true", help="write the saved results into the documentation, and run nothing"
    )
    given = parser.parse_args(arguments)
    if given.table:
        print(results.markdown(results.load_all()), end="")
    elif given.page:
        results.update_page()
    else:
        device = resolve_device(given.device)
        print(", ".join(f"{key} {value}" for key, value in describe(str(device)).items()))
        for name in given.only or BENCHMARKS:
            run(name, device, given.quick)


def run(name: str, device: torch.device, quick: bool, folder: Path = results.FOLDER) -> None:
    """Runs one benchmark, prints its table and saves it in `folder`; one that lacks a package is a row that says so."""
    title, place = BENCHMARKS[name]
    print(f"\n{title} ...", flush=True)
    started = time.perf_counter()
    module, function = place.split(":")
    try:
        with epochs_logged_to(None):
            rows = getattr(importlib.import_module(f"benchmarks.{module}"), function)(device, quick)
    except ModuleNotFoundError as error:
        rows = [results.Row(title, None, "", note=f"not run: {error.name} is not installed")]
    path = results.save(name, title, rows, str(device), quick, folder)
    print(results.plain(rows))
    print(f"{time.perf_counter() - started:.0f} s; saved to {path.name}", flush=True)


if __name__ == "__main__":
    main()
