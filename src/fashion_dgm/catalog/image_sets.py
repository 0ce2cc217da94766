"""Several image sets as one catalog entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from fashion_dgm.catalog.image_set import ImageSetDataset
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.files import atomic_folder

__all__ = ["ImageSetsDataset"]


class ImageSetsDataset(AbstractDataset[Mapping[str, ImageSet], Mapping[str, ImageSet]]):
    """A folder of image sets, a `.npz` file each, replaced as a whole; each is read when it is asked for.

    Loads a mapping of names, in alphabetical order, to image sets.

    Arguments:
        filepath: the folder.
        metadata: for plugins; Kedro itself ignores it.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Mapping[str, ImageSet]:
        """Looks which sets there are.

        Raises:
            DatasetError: caused by a `FashionDGMError` if there is none.
        """
        names = [path.stem for path in sorted(self._filepath.glob("*.npz"))]
        if not names:
            raise FashionDGMError(f"{self._filepath} holds no image set: run the pipeline that makes it first")
        return _Lazy(self._filepath, names)

    def save(self, data: Mapping[str, ImageSet]) -> None:
        with atomic_folder(self._filepath) as folder:
            for name, images in data.items():
                _file(folder, name).save(images)

    def _exists(self) -> bool:
        return any(self._filepath.glob("*.npz"))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


class _Lazy(Mapping[str, ImageSet]):
    """Reads a set from its file each time it is asked for, so that one is in memory at a time."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        self._folder, self._names = folder, names

    def __getitem__(self, name: str) -> ImageSet:
        if name not in self._names:
            raise KeyError(name)
        return _file(self._folder, name).load()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _file(folder: Path, name: str) -> ImageSetDataset:
    return ImageSetDataset(filepath=str(folder / f"{name}.npz"))
