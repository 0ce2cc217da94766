"""Datasets of one file: what goes in comes out, equal data are equal bytes, local files are replaced in one step."""

import inspect
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import fsspec
import pandas as pd
import pytest
import torch
from kedro.io import AbstractDataset, DataCatalog, DatasetError, Version
from matplotlib.figure import Figure

from fashion_dgm.catalog import files
from fashion_dgm.catalog.folders import FolderDataset, ImageSetsDataset, SnapshotsDataset
from fashion_dgm.catalog.image_set import ImageSetDataset
from fashion_dgm.checkpoint import Checkpoint, checkpoint_of
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.gans.networks import Generator
from fashion_dgm.reporting.style import to_png
from tests.conftest import made_up_images


def checkpoint(seed: int) -> Checkpoint:
    torch.manual_seed(seed)
    return checkpoint_of(Generator(3, 2), "Generator", {"latent_dim": 3, "width": 2})


def figure(seed: int) -> Figure:
    drawn = Figure(figsize=(2, 1))
    drawn.add_subplot().plot([1, 2, seed])
    return drawn


MAKERS: dict[type[AbstractDataset], Callable[[int], Any]] = {
    files.CSVDataset: lambda seed: pd.DataFrame({"epoch": [1.0, 2.0], "loss": [0.1 + 0.2, float("nan")], "seed": seed}),
    files.JSONDataset: lambda seed: {"b": 1, "a": 0.1 + 0.2, "seed": seed},
    files.TextDataset: lambda seed: f"é & <b>\r\n\n\u4e00{seed}",
    files.AnimationDataset: lambda seed: b"GIF89a%d" % seed,
    files.FigureDataset: figure,
    files.CheckpointDataset: checkpoint,
    ImageSetDataset: lambda seed: made_up_images(20, seed).take(slice(None, None, -3)),
}
FILES = pytest.mark.parametrize("kind", MAKERS, ids=lambda kind: kind.__name__)
FOLDERS: dict[type[FolderDataset], Callable[[int], Any]] = {
    # With seed 1 there is one file less, so that one of an earlier run would linger.
    SnapshotsDataset: lambda seed: {epoch: checkpoint(seed + epoch) for epoch in (1, 100)[seed:]},
    ImageSetsDataset: lambda seed: {name: made_up_images(20, seed + len(name)) for name in ("digits", "mnist")[seed:]},
}
KINDS = MAKERS | FOLDERS
ALL = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def contents(folder: str) -> dict[str, bytes]:
    system, path = fsspec.url_to_fs(folder)
    return {file.removeprefix(path): system.cat_file(file) for file in system.find(path)}


def dataset_of(kind: type[AbstractDataset], path: str | Path, **options: Any) -> Any:
    return kind(filepath=str(path), **options)


def plain(data: Any) -> Any:
    """What has been loaded or saved, comparable."""
    match data:
        case pd.DataFrame():
            return data.to_csv()
        case Figure():
            return to_png(data, 200)
        case Checkpoint():
            return data.architecture, dict(data.config), data.sha256
        case ImageSet():
            return data.name, data.sha256
        case Mapping():
            return {key: plain(value() if callable(value) else value) for key, value in data.items()}
    return data


@ALL
def test_round_trip_everywhere_in_equal_bytes(root: str, kind: type[AbstractDataset]) -> None:
    dataset, other = (dataset_of(kind, f"{root}/{folder}/name") for folder in ("one", "two"))
    assert not dataset.exists()
    for seed in (0, 1):
        dataset.save(KINDS[kind](seed))
        assert dataset.exists() and not other.exists()
        assert plain(dataset.load()) == plain(KINDS[kind](seed))
    other.save(KINDS[kind](1))
    assert contents(f"{root}/one") == contents(f"{root}/two")
    assert all(name.startswith(("/name", "/.sha256/name")) for name in contents(f"{root}/one"))


@ALL
def test_versions_are_kept_and_the_latest_is_loaded(
    root: str, kind: type[AbstractDataset], recwarn: pytest.WarningsRecorder
) -> None:
    path, make = f"{root}/name", KINDS[kind]
    assert not dataset_of(kind, path, version=Version(None, None)).exists()
    for seed in (0, 1):
        dataset_of(kind, path, version=Version(None, f"2026-01-0{seed + 1}T00.00.00.000Z")).save(make(seed))
    latest = dataset_of(kind, path, version=Version(None, None))
    assert latest.exists() and plain(latest.load()) == plain(make(1))
    first = dataset_of(kind, path, version=Version("2026-01-01T00.00.00.000Z", None))
    assert plain(first.load()) == plain(make(0))
    with pytest.raises(DatasetError, match="must not exist"):
        dataset_of(kind, path, version=Version(None, "2026-01-01T00.00.00.000Z")).save(make(1))
    assert (latest.local_path is None) == root.startswith("memory")
    unnamed = dataset_of(kind, path, version=Version(None, None))
    unnamed.save(make(0))
    assert plain(unnamed.load()) == plain(make(0)) and len(unnamed.list_versions()) == 3
    assert not [warning for warning in recwarn if "did not match load version" in str(warning.message)]


@FILES
def test_a_failed_save_leaves_the_old_file(
    root: str, kind: type[AbstractDataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = dataset_of(kind, f"{root}/name")
    dataset.save(MAKERS[kind](0))
    before = contents(root)
    with pytest.raises(DatasetError):
        dataset.save({"a": object()})
    if not root.startswith("memory"):
        monkeypatch.setattr(os, "fsync", Mock(side_effect=OSError(28, "No space left on device")))
        with pytest.raises(DatasetError, match="No space left") as caught:
            dataset.save(MAKERS[kind](1))
        assert isinstance(caught.value.__cause__, FashionDGMError)
    assert contents(root) == before
    assert plain(dataset.load()) == plain(MAKERS[kind](0))


@pytest.mark.parametrize("kind", FOLDERS, ids=lambda kind: kind.__name__)
def test_a_failed_save_leaves_the_old_folder(tmp_path: Path, kind: type[FolderDataset]) -> None:
    dataset = dataset_of(kind, tmp_path / "name")
    dataset.save(FOLDERS[kind](0))
    before = contents(str(tmp_path))
    first, second = FOLDERS[kind](0)
    with pytest.raises(DatasetError):
        dataset.save({first: FOLDERS[kind](1)[second], second: "neither"})
    assert contents(str(tmp_path)) == before


@ALL
def test_an_entry_gives_its_configuration(tmp_path: Path, kind: type[AbstractDataset]) -> None:
    # As `catalog.to_config()` reads it.
    dataset = dataset_of(kind, tmp_path / "name", version=Version(None, None), fs_args={"auto_mkdir": True})
    config = {key: value for key, value in dataset._init_config().items() if value is not None}
    expected = {"filepath": str(tmp_path / "name"), "fs_args": {"auto_mkdir": True}, "versioned": True}
    assert config == {"type": f"{kind.__module__}.{kind.__name__}", **expected}
    catalog = DataCatalog.from_config(*DataCatalog({"data": dataset}).to_config()[:2])
    assert (type(catalog["data"]), catalog["data"]._filepath) == (kind, dataset._filepath)


@FILES
def test_what_cannot_be_read_names_the_file_and_what_to_do(tmp_path: Path, kind: type[AbstractDataset]) -> None:
    path = tmp_path / "name"
    with pytest.raises(DatasetError, match=f"{path} does not exist: run the pipeline that makes it"):
        dataset_of(kind, path).load()
    path.mkdir()
    with pytest.raises(DatasetError, match=f"{path} cannot be read: Is a directory"):
        dataset_of(kind, path).load()


def test_json_is_sorted_and_refuses_nan(tmp_path: Path) -> None:
    dataset = files.JSONDataset(filepath=str(tmp_path / "m.json"))
    dataset.save({"b": 1, "a": 2})
    assert (tmp_path / "m.json").read_text() == '{\n  "a": 2,\n  "b": 1\n}'
    with pytest.raises(DatasetError, match="JSON compliant"):
        dataset.save({"a": float("nan")})


def test_previews_show_what_there_is(tmp_path: Path) -> None:
    table, metrics, network = (
        dataset_of(kind, tmp_path / kind.__name__)
        for kind in (files.CSVDataset, files.JSONDataset, files.CheckpointDataset)
    )
    for dataset in (table, metrics, network):
        dataset.save(MAKERS[type(dataset)](0))
    assert table.preview(nrows=1)["data"] == [[1.0, 0.1 + 0.2, 0]]
    assert json.loads(metrics.preview()) == metrics.load()
    shown = json.loads(network.preview())
    assert (shown["architecture"], shown["config"]) == ("Generator", {"latent_dim": 3, "width": 2})
    assert shown["numbers"] == sum(tensor.numel() for tensor in Generator(3, 2).state_dict().values())
    # As Kedro-Viz reads them.
    names = {kind: inspect.signature(kind.preview).return_annotation for kind in MAKERS if hasattr(kind, "preview")}
    assert {kind.__name__.removesuffix("Dataset"): getattr(name, "__name__", name) for kind, name in names.items()} == {
        "CSV": "TablePreview",
        "JSON": "JSONPreview",
        "Animation": "ImagePreview",
        "Figure": "ImagePreview",
        "Checkpoint": "JSONPreview",
        "ImageSet": "ImagePreview",
    }


@pytest.mark.parametrize("kind", FOLDERS, ids=lambda kind: kind.__name__)
def test_a_damaged_file_of_a_folder_is_an_error_of_the_library(root: str, kind: type[FolderDataset]) -> None:
    """One that `except FashionDGMError` catches: Kedro has wrapped only the load of the folder."""
    dataset = dataset_of(kind, f"{root}/name")
    dataset.save(FOLDERS[kind](0))
    first, second = dataset.load()
    system, path = fsspec.url_to_fs(f"{root}/name/{dataset.stem(first)}{Path(kind.PATTERN).suffix}")
    system.pipe_file(path, b"damaged")
    found = dataset.load()
    for _ in range(2):
        with pytest.raises(FashionDGMError, match=r"is damaged .* run the pipeline") as caught:
            plain({first: found[first]})
        assert caught.value.__context__ is caught.value.__cause__
    assert plain({second: found[second]}) == plain({second: FOLDERS[kind](0)[second]})


def test_only_the_set_asked_for_is_read(tmp_path: Path) -> None:
    dataset = ImageSetsDataset(filepath=str(tmp_path))
    with pytest.raises(DatasetError, match="run the pipeline"):
        dataset.load()
    dataset.save(FOLDERS[ImageSetsDataset](0))
    (tmp_path / "digits.npz").write_text("damaged")
    loaded = dataset.load()
    assert list(loaded) == ["digits", "mnist"] and len(loaded) == 2
    assert "digits" in loaded and "omniglot" not in loaded
    assert len(loaded["mnist"]) == 20
    with pytest.raises(FashionDGMError, match="damaged"):
        loaded["digits"]
    with pytest.raises(KeyError):
        loaded["../ood/mnist"]


def test_a_set_called_nan_is_no_missing_value(tmp_path: Path) -> None:
    dataset = files.CSVDataset(filepath=str(tmp_path / "table.csv"))
    dataset.save(pd.DataFrame({"dataset": ["mnist", "nan", "null"], "auroc": [0.5, float("nan"), float("inf")]}))
    found = dataset.load()
    assert found["dataset"].tolist() == ["mnist", "nan", "null"]
    assert found["auroc"].isna().tolist() == [False, True, False]
