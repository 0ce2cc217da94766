from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DataCatalog, DatasetError

from fashion_dgm.catalog.raw_image_set import RawImageSetDataset
from fashion_dgm.data.idx import write_idx
from fashion_dgm.data.raw_sets import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from fashion_dgm.errors import FashionDGMError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    folder = tmp_path / "fashion_mnist"
    for images, labels, count in ((TRAIN_IMAGES, TRAIN_LABELS, 7), (TEST_IMAGES, TEST_LABELS, 3)):
        write_idx(folder / images, rng.integers(0, 256, (count, 28, 28), dtype=np.uint8))
        write_idx(folder / labels, rng.integers(0, 10, count, dtype=np.uint8))
    return folder


def test_small_data_without_verification(folder: Path) -> None:
    data = RawImageSetDataset(name="fashion_mnist", filepath=str(folder), verify=False).load()
    assert list(data) == ["train", "benchmark"]
    assert data["train"].images.shape == (7, 1, 28, 28)
    assert data["train"].images.tobytes() == (folder / TRAIN_IMAGES).read_bytes()[16:]
    assert data["benchmark"].labels.tobytes() == (folder / TEST_LABELS).read_bytes()[8:]


def test_local_folder_without_verification(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    dataset = RawImageSetDataset(name="mnist", filepath=str(elsewhere), local_folder=str(folder), verify=False)
    assert len(dataset.load()["train"]) == 7
    dataset = RawImageSetDataset(
        name="mnist", filepath=str(elsewhere), sources=["npm"], local_folder=str(folder), verify=False
    )
    with pytest.raises(DatasetError, match="must hold"):
        dataset.load()


def test_verification_refuses_small_data(folder: Path) -> None:
    with pytest.raises(DatasetError, match="Failed while loading") as caught:
        RawImageSetDataset(name="fashion_mnist", filepath=str(folder)).load()
    assert isinstance(caught.value.__cause__, FashionDGMError)
    assert "SHA-256" in str(caught.value.__cause__)


def test_images_and_labels_must_agree(folder: Path) -> None:
    write_idx(folder / TRAIN_LABELS, np.zeros(6, dtype=np.uint8))
    with pytest.raises(DatasetError, match=r"7 images.*6 labels"):
        RawImageSetDataset(name="fashion_mnist", filepath=str(folder), verify=False).load()


@pytest.mark.parametrize("sources", [["local", "ftp"], "local"])
def test_bad_sources_are_refused(folder: Path, sources: list[str]) -> None:
    with pytest.raises(DatasetError, match="data source"):
        RawImageSetDataset(name="fashion_mnist", filepath=str(folder), sources=sources, verify=False).load()


def test_it_is_read_only_and_always_exists(tmp_path: Path) -> None:
    dataset = RawImageSetDataset(name="fashion_mnist", filepath=str(tmp_path / "nowhere"))
    assert dataset.exists()
    with pytest.raises(DatasetError, match="read-only"):
        dataset.save({})


def test_unknown_name_is_refused_at_once() -> None:
    with pytest.raises(FashionDGMError, match="fashion_mnist, mnist"):
        RawImageSetDataset(name="fashion-mnist", filepath="data")


def test_it_works_from_a_catalog_entry_and_travels_between_processes(folder: Path) -> None:
    entry = {
        "type": "fashion_dgm.catalog.raw_image_set.RawImageSetDataset",
        "name": "fashion_mnist",
        "filepath": str(folder),
        "sources": ["local"],
        "verify": False,
        "metadata": {"kedro-viz": {"layer": "raw"}},
    }
    dataset = DataCatalog.from_config({"raw": entry})["raw"]
    assert dataset.metadata == {"kedro-viz": {"layer": "raw"}}
    assert "fashion_mnist" in repr(dataset)
    assert len(pickle.loads(pickle.dumps(dataset)).load()["train"]) == 7
