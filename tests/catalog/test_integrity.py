"""What was damaged since it was saved is never loaded as if it were whole."""

import contextlib
import os
import random
from pathlib import Path
from typing import Any

import pytest
from kedro.io import AbstractDataset, DatasetError, Version

from fashion_dgm.catalog import files
from fashion_dgm.errors import FashionDGMError
from tests.catalog.test_files import FILES, FOLDERS, MAKERS, dataset_of, plain
from tests.damage import DAMAGES

TRIES = 25
HASHED = pytest.mark.parametrize("kind", [kind for kind in MAKERS if issubclass(kind, files.HashedFileDataset)])


def refused_or_equal(load: Any, expected: Any) -> bool:
    """Whether a load was refused in a sentence; if it was not, it must give what was saved."""
    try:
        found = load()
    except FashionDGMError:
        return True
    except DatasetError as error:
        # Kedro wraps what it loads itself; any other error is a traceback.
        return isinstance(error.__cause__, FashionDGMError)
    assert plain(found) == plain(expected)
    return False


@FILES
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_or_gives_what_was_saved(
    tmp_path: Path, kind: type[AbstractDataset], damage: str
) -> None:
    path, data = tmp_path / "name", MAKERS[kind](0)
    dataset = dataset_of(kind, path)
    dataset.save(data)
    whole, rng = path.read_bytes(), random.Random(0)
    refused = 0
    for _ in range(TRIES):
        path.write_bytes(DAMAGES[damage](whole, rng))
        refused += path.read_bytes() != whole and refused_or_equal(dataset.load, data)
    assert refused > TRIES // 2
    path.write_bytes(whole)
    assert not refused_or_equal(dataset.load, data)


@pytest.mark.parametrize("kind", FOLDERS, ids=lambda kind: kind.__name__)
def test_a_damaged_file_of_a_folder_is_refused(tmp_path: Path, kind: Any) -> None:
    data, dataset = FOLDERS[kind](0), dataset_of(kind, tmp_path / "name")
    dataset.save(data)
    path = max((tmp_path / "name").iterdir())
    whole, rng = path.read_bytes(), random.Random(0)
    refused = 0
    for damage in (*DAMAGES.values(),) * 3:
        path.write_bytes(damage(whole, rng))
        refused += refused_or_equal(lambda: plain(dataset.load()), plain(data))
    assert refused > 6


@HASHED
@pytest.mark.parametrize("versioned", [False, True])
def test_a_file_changed_on_purpose_is_refused_until_its_hash_is_deleted(
    root: str, kind: type[AbstractDataset], versioned: bool
) -> None:
    version = Version(None, "2026-01-01T00.00.00.000Z") if versioned else None
    dataset, other = dataset_of(kind, f"{root}/name", version=version), dataset_of(kind, f"{root}/other")
    dataset.save(MAKERS[kind](0))
    other.save(MAKERS[kind](1))
    path = dataset._get_load_path()
    hash_file = f"{path.parent}/.sha256/name"
    dataset._fs.copy(str(other._filepath), str(path))
    with pytest.raises(DatasetError, match=f"If you edited it on purpose, delete {hash_file}"):
        dataset_of(kind, dataset._fs.unstrip_protocol(str(path))).load()
    dataset._fs.rm_file(hash_file)
    assert plain(dataset.load()) == plain(MAKERS[kind](1))
    if not versioned:
        dataset.save(MAKERS[kind](0))
        assert dataset._fs.exists(hash_file)


@HASHED
def test_a_kill_between_file_and_hash_leaves_a_file_that_loads(
    tmp_path: Path, kind: type[AbstractDataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    whole_put, moment = files.FileDataset._put, 0

    def put(self: Any, path: Any, content: bytes) -> None:
        nonlocal moment
        moment -= 1
        if moment < 0:
            raise Killed
        whole_put(self, path, content)

    monkeypatch.setattr(files.FileDataset, "_put", put)
    dataset, either = dataset_of(kind, tmp_path / "name"), [plain(MAKERS[kind](seed)) for seed in (0, 1)]
    for number, kill in enumerate((1, 2, 0, 1, 2, 3)):
        moment = kill
        with contextlib.suppress(Killed):
            dataset.save(MAKERS[kind](number % 2))
            saved = either[number % 2]
        if (tmp_path / "name").exists():
            assert plain(dataset.load()) in either
    assert plain(dataset.load()) == saved


@FILES
def test_a_file_that_may_not_be_read_is_not_called_damaged(
    tmp_path: Path, kind: type[AbstractDataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = dataset_of(kind, tmp_path / "name")
    dataset.save(MAKERS[kind](0))
    original = open

    def denied(path: Any, *args: Any, **options: Any) -> Any:
        if str(path) == str(tmp_path / "name"):
            raise PermissionError(13, "Permission denied", path)
        return original(path, *args, **options)

    monkeypatch.setattr("builtins.open", denied)
    with pytest.raises(DatasetError, match="cannot be read: Permission denied") as caught:
        dataset.load()
    assert "damaged" not in str(caught.value) and "elete" not in str(caught.value)


@FILES
def test_files_are_as_readable_as_the_umask_lets_them(tmp_path: Path, kind: type[AbstractDataset]) -> None:
    before = os.umask(0o027)
    try:
        dataset_of(kind, tmp_path / "name").save(MAKERS[kind](0))
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("name")} == {0o640}


def test_a_file_that_is_saved_between_the_reads_of_content_and_hash_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = files.JSONDataset(filepath=str(tmp_path / "gan_metrics.json"))
    dataset.save({"loss": 1})
    read, saved = files.JSONDataset._hashes, []

    def save_first(self: files.JSONDataset, path: Any) -> Any:
        if not saved:
            saved.append(1)
            files.JSONDataset(filepath=str(tmp_path / "gan_metrics.json")).save({"loss": 2})
        return read(self, path)

    monkeypatch.setattr(files.JSONDataset, "_hashes", save_first)
    assert dataset.load() == {"loss": 2}
