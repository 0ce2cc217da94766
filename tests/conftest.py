"""Small made-up garments: enough structure to learn, small enough for seconds."""

import os
import shutil
import sys
from pathlib import Path

# Of this process and those that it starts, before torch reads it: processes with a thread for every core starve one another.
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pytest

from fashion_dgm.data.fetching import fetch
from fashion_dgm.data.idx import write_idx
from fashion_dgm.data.images import ImageSet
from fashion_dgm.data.raw_sets import RAW_SETS, read_raw_set
from fashion_dgm.errors import FashionDGMError

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Every test starts from the same state of torch's global generator, from which new layers draw their weights."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


def made_up_images(count: int, seed: int, classes: int = 10, name: str = "fashion_mnist") -> ImageSet:
    """A bright bar whose place and size depend on the class, on a dark ground, with noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    rng.shuffle(labels)
    images = rng.integers(0, 8, size=(count, 1, 28, 28))
    for image, label in zip(images, labels, strict=True):
        top, left = 2 + 2 * (label % 5), 3 + 9 * (label // 5)
        image[0, top : top + 12, left : left + 8 + label % 3] += rng.integers(120, 240)
    return ImageSet(images.clip(0, 255).astype(np.uint8), labels.astype(np.uint8), name)


def write_raw_set(folder: Path, train: ImageSet, benchmark: ImageSet) -> None:
    for stem, images in (("train", train), ("t10k", benchmark)):
        write_idx(folder / f"{stem}-images-idx3-ubyte", images.images[:, 0])
        write_idx(folder / f"{stem}-labels-idx1-ubyte", images.labels)


@pytest.fixture(scope="session")
def official_images() -> ImageSet:
    """The official test images of FashionMNIST, where they have been fetched."""
    return fetched_images("fashion_mnist")


@pytest.fixture(scope="session")
def mnist() -> ImageSet:
    """The official test images of MNIST, where they have been fetched."""
    return fetched_images("mnist")


def fetched_images(name: str) -> ImageSet:
    try:
        paths = fetch(RAW_SETS[name], ROOT / "data" / "01_raw" / name, sources=[])
    except FashionDGMError:
        pytest.skip(f"the official images of {name} are not in data/01_raw")
    return read_raw_set(paths, name)["benchmark"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project's configuration in an empty folder, with small raw files for `--env test`."""
    return make_project(tmp_path)


def make_project(folder: Path) -> Path:
    shutil.copytree(ROOT / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    (folder / "conf" / "local").mkdir()
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    (folder / ".telemetry").write_text("consent: false\n")
    raw = folder / "data" / "01_raw"
    write_raw_set(raw / "fashion_mnist", made_up_images(300, seed=1), made_up_images(80, seed=2))
    write_raw_set(raw / "mnist", made_up_images(80, seed=3), made_up_images(70, seed=4))
    return folder
