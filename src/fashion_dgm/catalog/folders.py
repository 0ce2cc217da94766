"""Folders of files as catalog entries: a local one is replaced as a whole, and its files are read one at a time.

Kedro's PartitionedDataset leaves the partitions of an earlier, longer run among those of a later one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from fashion_dgm.catalog.files import CheckpointDataset, FileDataset, StoredDataset, loaded
from fashion_dgm.catalog.image_set import ImageSetDataset
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.files import atomic_folder

if TYPE_CHECKING:
    from fashion_dgm.checkpoint import Checkpoint

__all__ = ["FolderDataset", "ImageSetsDataset", "SnapshotsDataset"]

In = TypeVar("In", bound=Mapping)
Out = TypeVar("Out")


class FolderDataset(StoredDataset[In, Out]):
    """Base of folders with a file for each entry of a mapping."""

    FILE: ClassVar[type[FileDataset]]
    PATTERN: ClassVar[str]

    @abstractmethod
    def stem(self, key: Any) -> str:
        """Returns the name of the file of an entry, without its ending."""

    def save(self, data: In) -> None:
        """Replaces the folder; elsewhere than on this machine file by file.

        Raises:
            DatasetError: if it cannot be written; a local one is then left as it was.
        """
        path = self._get_save_path()
        files = {f"{self.stem(key)}{PurePosixPath(self.PATTERN).suffix}": value for key, value in data.items()}
        if self._is_local:
            with atomic_folder(Path(path)) as folder:
                self._write(folder.as_posix(), files)
        else:
            self._write(str(path), files)
            for left in self._paths(path):
                if left.name not in files:
                    self._fs.rm_file(str(left))

    def _files(self) -> dict[str, FileDataset]:
        """The files of the folder by their names without endings, in alphabetical order."""
        return {path.stem: self._file(str(path)) for path in self._paths(self._get_load_path())}

    def _paths(self, folder: PurePosixPath) -> list[PurePosixPath]:
        return sorted(PurePosixPath(path) for path in self._fs.glob(str(folder / self.PATTERN)))

    def _write(self, folder: str, files: Mapping[str, Any]) -> None:
        for name, value in files.items():
            self._file(f"{folder}/{name}").save(value)

    def _file(self, path: str) -> FileDataset:
        return self.FILE(filepath=self._fs.unstrip_protocol(path), fs_args=self._fs_args)

    def _is_there(self, path: str) -> bool:
        return bool(self._paths(PurePosixPath(path)))


class SnapshotsDataset(FolderDataset[Mapping[int, "Checkpoint"], dict[int, Callable[[], "Checkpoint"]]]):
    """Checkpoints of one network by epoch; loads a function for each that reads it or raises a `FashionDGMError`."""

    FILE = CheckpointDataset
    PATTERN = "epoch_*.safetensors"

    def stem(self, key: int) -> str:
        return f"epoch_{key:04d}"

    def load(self) -> dict[int, Callable[[], Checkpoint]]:
        return {int(stem.removeprefix("epoch_")): partial(loaded, file) for stem, file in self._files().items()}


class ImageSetsDataset(FolderDataset[Mapping[str, ImageSet], Mapping[str, ImageSet]]):
    """Image sets by name; loads a mapping, in alphabetical order, that reads a set when it is asked for.

    It raises a `FashionDGMError` then if the set cannot be read.
    """

    FILE = ImageSetDataset
    PATTERN = "*.npz"

    def stem(self, key: str) -> str:
        return key

    def load(self) -> Mapping[str, ImageSet]:
        """Looks which sets there are.

        Raises:
            DatasetError: caused by a `FashionDGMError` if there is none.
        """
        files = self._files()
        if not files:
            raise FashionDGMError(f"{self._get_load_path()} holds no image set: run the pipeline that makes it first")
        return _Lazy(files)


class _Lazy(Mapping[str, ImageSet]):
    """Reads a set from its file each time it is asked for, so that one is in memory at a time."""

    def __init__(self, files: Mapping[str, FileDataset]) -> None:
        self._files = files

    def __getitem__(self, name: str) -> ImageSet:
        return loaded(self._files[name])

    def __contains__(self, name: object) -> bool:
        # That of Mapping reads the set.
        return name in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)
