"""Folders of this machine that nodes get as they are."""

import pickle
from pathlib import Path

import pytest
from kedro.io import DataCatalog, DatasetError

from fashion_dgm.catalog.local import (
    FeatureCacheDataset,
    LocalDataset,
    PublishedSetDataset,
    RawImageSetDataset,
    ReferenceRunDataset,
    StateStoreDataset,
)
from fashion_dgm.data.ood.published import FileMissing
from fashion_dgm.errors import FashionDGMError
from tests.conftest import made_up_images, write_raw_set

TRAIN, BENCHMARK = made_up_images(7, seed=0), made_up_images(3, seed=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_raw_set(tmp_path / "fashion_mnist", TRAIN, BENCHMARK)
    return tmp_path / "fashion_mnist"


def test_unverified_files_come_from_a_local_folder_only_if_it_is_a_source(folder: Path, tmp_path: Path) -> None:
    options = {"name": "mnist", "filepath": str(tmp_path / "elsewhere"), "local_folder": str(folder), "verify": False}
    assert RawImageSetDataset(**options).load()["train"].sha256 == TRAIN.sha256
    with pytest.raises(DatasetError, match="must hold"):
        RawImageSetDataset(**options, sources=["npm"]).load()


def test_verification_refuses_small_data(folder: Path) -> None:
    with pytest.raises(DatasetError, match="SHA-256") as caught:
        RawImageSetDataset(name="fashion_mnist", filepath=str(folder)).load()
    assert isinstance(caught.value.__cause__, FashionDGMError)


KINDS: dict[str, tuple[type[LocalDataset], dict[str, str]]] = {
    "state": (StateStoreDataset, {}),
    "cache": (FeatureCacheDataset, {}),
    "raw": (RawImageSetDataset, {"name": "fashion_mnist"}),
    "published": (PublishedSetDataset, {"name": "kmnist"}),
    "run": (ReferenceRunDataset, {}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_of_this_machine_read_only_and_there_even_when_empty(tmp_path: Path, kind: str) -> None:
    make, options = KINDS[kind]
    dataset = make(filepath=str(tmp_path / "nowhere"), **options)
    assert dataset.exists() == (kind != "run")
    with pytest.raises(DatasetError, match=r"read-only|written by the|don't write"):
        dataset.save({})
    assert not {"args", "kwargs"} & set(dataset._init_config())
    for place in ("memory://place", "s3://bucket/place"):
        with pytest.raises(FashionDGMError, match=rf"^a \w+Dataset needs a folder on this machine, not {place}$"):
            make(filepath=place, **options)


def test_a_store_is_that_of_the_folder(tmp_path: Path) -> None:
    assert StateStoreDataset(filepath=str(tmp_path)).load().folder == tmp_path


@pytest.mark.parametrize(("kind", "known"), [("raw", "fashion_mnist, mnist"), ("published", "kmnist, emnist_letters")])
def test_unknown_name_is_refused_at_once(kind: str, known: str) -> None:
    with pytest.raises(FashionDGMError, match=f"use one of {known}"):
        KINDS[kind][0](name="cifar", filepath="data")


def test_a_published_set_loads_without_its_file_and_fails_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dataset = PublishedSetDataset(name="kmnist", filepath=str(tmp_path / "raw" / "kmnist"), download=False)
    with pytest.raises(FileMissing, match=r"into raw/kmnist$") as caught:
        dataset.load()()
    # What reaches the summary, and through it the report, is the same wherever the project lies.
    assert str(tmp_path) not in str(caught.value)


def test_it_works_from_a_catalog_entry_and_travels_between_processes(folder: Path) -> None:
    entry = {
        "type": "fashion_dgm.catalog.local.RawImageSetDataset",
        "name": "fashion_mnist",
        "filepath": str(folder),
        "sources": ["local"],
        "verify": False,
        "metadata": {"kedro-viz": {"layer": "raw"}},
    }
    dataset = DataCatalog.from_config({"raw": entry})["raw"]
    assert dataset.metadata == {"kedro-viz": {"layer": "raw"}}
    assert "fashion_mnist" in repr(dataset)
    sets = pickle.loads(pickle.dumps(dataset)).load()
    assert (sets["train"].sha256, sets["benchmark"].sha256) == (TRAIN.sha256, BENCHMARK.sha256)
