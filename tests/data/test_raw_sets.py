import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fashion_dgm.data.idx import write_idx
from fashion_dgm.data.raw_sets import RAW_SETS, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, read_raw_set
from fashion_dgm.errors import FashionDGMError
from tests.conftest import made_up_images, write_raw_set

TRAIN, BENCHMARK = made_up_images(6, seed=0), made_up_images(3, seed=1)


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    write_raw_set(tmp_path, TRAIN, BENCHMARK)
    return {name: tmp_path / name for name in RAW_SETS["mnist"].files}


@pytest.mark.parametrize("name", RAW_SETS)
def test_torchvision_knows_mirrors_of_each_set(name: str) -> None:
    mirrors = RAW_SETS[name].mirrors()
    assert mirrors and all(mirror.startswith("http") and mirror.endswith("/") for mirror in mirrors)


def test_importing_the_sources_imports_no_torch() -> None:
    code = (
        "import sys, fashion_dgm.data.fetching, fashion_dgm.data.split; print({'torch', 'sklearn'} & set(sys.modules))"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "set()"


def test_read_raw_set_pairs_images_with_their_labels(paths: dict[str, Path]) -> None:
    sets = read_raw_set(paths, "fashion_mnist")
    found = {split: (images.name, images.sha256) for split, images in sets.items()}
    assert found == {name: ("fashion_mnist", s.sha256) for name, s in (("train", TRAIN), ("benchmark", BENCHMARK))}


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        (TRAIN_LABELS, (5,), "6 images.*5 labels"),
        (TEST_IMAGES, (4, 4, 5), "4 images.*3 labels"),
        (TRAIN_IMAGES, (6,), r"\(N, H, W\)"),
        (TRAIN_IMAGES, (6, 4), r"\(N, H, W\)"),
        (TRAIN_IMAGES, (0, 4, 5), r"\(N, H, W\)"),
        (TEST_LABELS, (3, 1), r"\(N,\)"),
    ],
)
def test_files_that_do_not_fit_are_an_error(
    paths: dict[str, Path], name: str, shape: tuple[int, ...], message: str
) -> None:
    write_idx(paths[name], np.zeros(shape, dtype=np.uint8))
    with pytest.raises(FashionDGMError, match=message) as caught:
        read_raw_set(paths, "mnist")
    assert str(paths[name]) in str(caught.value)
