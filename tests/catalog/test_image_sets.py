"""A folder of image sets is replaced as a whole, read set by set, and the same bytes for the same sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError

from fashion_dgm.catalog.image_sets import ImageSetsDataset
from fashion_dgm.catalog.published_set import PublishedSetDataset
from fashion_dgm.data.images import ImageSet
from fashion_dgm.data.ood.published import FileMissing
from fashion_dgm.errors import FashionDGMError
from tests.conftest import made_up_images


def sets(*names: str) -> dict[str, ImageSet]:
    return {name: made_up_images(20, seed=len(name)) for name in names}


def test_round_trip_in_alphabetical_order(tmp_path: Path) -> None:
    dataset = ImageSetsDataset(filepath=str(tmp_path / "ood"))
    assert not dataset.exists()
    dataset.save(sets("mnist", "digits"))
    assert dataset.exists()
    loaded = dataset.load()
    assert list(loaded) == ["digits", "mnist"] and len(loaded) == 2
    assert {name: images.sha256 for name, images in loaded.items()} == {
        name: images.sha256 for name, images in sets("mnist", "digits").items()
    }
    with pytest.raises(KeyError):
        loaded["../ood/mnist"]


def test_sets_of_an_earlier_run_do_not_linger(tmp_path: Path) -> None:
    dataset = ImageSetsDataset(filepath=str(tmp_path / "ood"))
    dataset.save(sets("mnist", "digits"))
    dataset.save(sets("noise"))
    assert list(dataset.load()) == ["noise"]
    assert [path.name for path in tmp_path.iterdir()] == ["ood"]


def test_a_failed_save_leaves_the_old_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = ImageSetsDataset(filepath=str(tmp_path / "ood"))
    dataset.save(sets("mnist", "digits"))
    saved, calls = np.savez, []

    def full_disk_at_the_second(handle, **arrays):  # type: ignore[no-untyped-def]
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        saved(handle, **arrays)

    monkeypatch.setattr(np, "savez", full_disk_at_the_second)
    with pytest.raises(DatasetError, match="No space left"):
        dataset.save(sets("mnist", "noise", "others"))
    assert len(calls) == 2
    assert list(dataset.load()) == ["digits", "mnist"]
    assert [path.name for path in tmp_path.iterdir()] == ["ood"]


def test_only_the_set_asked_for_is_read(tmp_path: Path) -> None:
    dataset = ImageSetsDataset(filepath=str(tmp_path / "ood"))
    dataset.save(sets("mnist", "digits"))
    (tmp_path / "ood" / "digits.npz").write_text("damaged")
    loaded = dataset.load()
    assert loaded["mnist"].sha256 == sets("mnist")["mnist"].sha256
    with pytest.raises((DatasetError, FashionDGMError), match="damaged"):
        loaded["digits"]


def test_equal_sets_are_equal_bytes(tmp_path: Path) -> None:
    contents = []
    for folder in ("one", "two"):
        ImageSetsDataset(filepath=str(tmp_path / folder)).save(sets("mnist", "digits"))
        contents.append({path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()})
    assert contents[0] == contents[1]


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="run the pipeline"):
        ImageSetsDataset(filepath=str(tmp_path)).load()


def test_a_published_set_loads_without_its_file_and_fails_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dataset = PublishedSetDataset(name="kmnist", filepath=str(tmp_path / "raw" / "kmnist"), download=False)
    assert dataset.exists()
    with pytest.raises(FileMissing, match=r"into raw/kmnist$") as caught:
        dataset.load()()
    # What reaches the summary, and through it the report, is the same wherever the project lies.
    assert str(tmp_path) not in str(caught.value)
    with pytest.raises(DatasetError, match="read-only"):
        dataset.save("images")  # type: ignore[arg-type]
    with pytest.raises(FashionDGMError, match="kmnist, emnist_letters, omniglot"):
        PublishedSetDataset(name="cifar", filepath="raw")
