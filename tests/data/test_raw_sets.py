import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fashion_dgm.data.idx import write_idx
from fashion_dgm.data.raw_sets import RAW_SETS, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, read_raw_set
from fashion_dgm.errors import FashionDGMError


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    rng = np.random.default_rng(0)
    shapes = {TRAIN_IMAGES: (6, 4, 5), TRAIN_LABELS: (6,), TEST_IMAGES: (3, 4, 5), TEST_LABELS: (3,)}
    for name, shape in shapes.items():
        write_idx(tmp_path / name, rng.integers(0, 256, shape, dtype=np.uint8))
    return {name: tmp_path / name for name in shapes}


@pytest.mark.parametrize("name", RAW_SETS)
def test_each_set_is_four_files_with_hashes_and_mirrors(name: str) -> None:
    raw_set = RAW_SETS[name]
    assert raw_set.name == name
    assert list(raw_set.files) == [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS]
    assert all(len(bytes.fromhex(digest)) == 32 for digest in raw_set.files.values())
    mirrors = raw_set.mirrors()
    assert mirrors
    assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in mirrors)


def test_importing_the_sources_imports_no_torch() -> None:
    code = (
        "import sys, fashion_dgm.data.fetching, fashion_dgm.data.split; print({'torch', 'sklearn'} & set(sys.modules))"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "set()"


def test_read_raw_set_pairs_images_with_their_labels(paths: dict[str, Path]) -> None:
    sets = read_raw_set(paths, "mnist")
    assert list(sets) == ["train", "benchmark"]
    assert {images.name for images in sets.values()} == {"mnist"}
    assert sets["train"].images.shape == (6, 1, 4, 5)
    assert sets["benchmark"].images.shape == (3, 1, 4, 5)
    assert sets["train"].labels.tobytes() == paths[TRAIN_LABELS].read_bytes()[8:]
    assert sets["benchmark"].images.tobytes() == paths[TEST_IMAGES].read_bytes()[16:]


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
