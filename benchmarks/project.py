"""What a user of the project waits for around training, and how much memory it takes."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from benchmarks.hardware import ROOT
from benchmarks.inputs import RAW, TRAININGS, training_images
from benchmarks.results import Row, measured
from benchmarks.timing import interleave
from fashion_dgm.catalog.image_set import ImageSetDataset
from fashion_dgm.config import DataSplitConfig
from fashion_dgm.data.fetching import fetch
from fashion_dgm.data.raw_sets import RAW_SETS, read_raw_set
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.pipelines.data_split.nodes import split_images, summarise_split

__all__ = ["data_split", "memory", "registry", "run_kedro"]

# As many images as the flow is evaluated on at once.
FEW = 500
# Linux counts what a process was forked from as its own: so this one, large by now, forks a small one that forks Kedro.
WATCH = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
KEDRO = (sys.executable, "-c", "from kedro.framework.cli.cli import main; main()")


def data_split(device: torch.device, quick: bool) -> list[Row]:
    """Times the way from raw files, out of the operating system's cache, to splits in memory."""
    del device
    config = DataSplitConfig(pool="train", test_fraction=0.2, seed=0)
    try:
        paths = {name: fetch(raw, RAW / name) for name, raw in RAW_SETS.items()}
    except FashionDGMError as error:
        return [Row("data_split from raw files", None, "", note=f"not run: {error}".splitlines()[0])]

    def split() -> None:
        raw = {name: read_raw_set(fetch(RAW_SETS[name], RAW / name), name) for name in paths}
        parts = split_images(raw["fashion_mnist"], config)
        summarise_split(*parts, config)

    def cold() -> None:
        for files in paths.values():
            for path in files.values():
                _forget(path)

    timed = interleave({"forget": cold, "cold": split, "warm": split}, 1 if quick else 5)
    return [
        measured("data_split from raw files, not cached by the system", timed.median("cold"), "s"),
        measured("data_split from raw files, cached by the system", timed.median("warm"), "s"),
    ]


def registry(device: torch.device, quick: bool) -> list[Row]:
    """Times `kedro registry list` as a process, and what Kedro itself takes to start."""
    del device
    timed = interleave(
        {
            "registry": lambda: run_kedro(ROOT, "registry", "list"),
            "kedro": lambda: run_kedro(ROOT, "--version"),
        },
        2 if quick else 5,
    )
    return [
        measured("kedro registry list", timed.median("registry"), "s"),
        measured("kedro --version, for comparison", timed.median("kedro"), "s"),
    ]


def memory(device: torch.device, quick: bool) -> list[Row]:
    """Takes the greatest resident size of `kedro run` for each training node of `base`, in a process of its own."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        project = _project(Path(folder))
        # No smaller for the number of images: all of them are held, and a few steps reach the peak.
        images = 256 if quick else 640
        for name in TRAININGS:
            changes = {"epochs": 1, "images_per_epoch": images, "device": device}
            given = ",".join(f"{name}.{key}={value}" for key, value in changes.items())
            # The node alone: the bounds of bits/dim that follow in a flow's pipeline take minutes and no more memory.
            peak = run_kedro(project, "run", "--pipelines", name, "--nodes", name, "--params", given)
            rows.append(measured(f"{name}, base", peak / 2**20, "MiB"))
        rows.append(
            measured("kedro registry list, for comparison", run_kedro(project, "registry", "list") / 2**20, "MiB")
        )
    return rows


def run_kedro(project: Path, *arguments: str) -> int:
    """Runs a `kedro` command in `project` and returns its greatest resident size in bytes.

    Raises:
        RuntimeError: if the command failed, with the end of what it said.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    environment["PYTHONPATH"] = str(project / "src")
    command = [sys.executable, "-S", "-c", WATCH, *KEDRO, *arguments]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"kedro {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
    # The unit is the kilobyte, but for macOS.
    return int(done.stdout.splitlines()[-1]) * (1 if sys.platform == "darwin" else 1024)


def _project(folder: Path) -> Path:
    """Returns a copy of the project without MLflow, with all training images and other splits of `FEW`."""
    shutil.copytree(ROOT / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "conf" / "local").mkdir()
    (folder / "conf" / "local" / "tracking.yml").write_text("enabled: false\n", encoding="utf-8")
    (folder / ".telemetry").write_text("consent: false\n", encoding="utf-8")
    inputs = folder / "data" / "05_model_input"
    images = training_images()
    few = images.take(slice(0, FEW))
    for split, part in (("train", images), ("test", few), ("benchmark", few)):
        ImageSetDataset(filepath=str(inputs / f"{split}.npz")).save(part)
    return folder


def _forget(path: Path) -> None:
    """Drops a file from the page cache, where the system can."""
    if hasattr(os, "posix_fadvise"):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
