"""The catalog's way to the official image sets, wherever they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from fashion_dgm.data.images import ImageSet
from fashion_dgm.data.raw_sets import RAW_SETS, read_raw_set
from fashion_dgm.data.sources import SOURCES, fetch
from fashion_dgm.errors import FashionDGMError

__all__ = ["RawImageSetDataset"]


class RawImageSetDataset(AbstractDataset[NoReturn, dict[str, ImageSet]]):
    """An official image set, fetched on first use and checked by SHA-256 on every load.

    Loads a dictionary of `"train"` and `"benchmark"`: the official training and test images with their labels.

    Example:
        ```yaml
        fashion_mnist_raw:
          type: fashion_dgm.catalog.raw_image_set.RawImageSetDataset
          name: fashion_mnist
          filepath: data/01_raw/fashion_mnist
          sources: [local, mirror, debian, npm]
        ```

    Arguments:
        name: a key of `RAW_SETS`.
        filepath: the folder that holds the files, or shall.
        sources: any of `SOURCES`, in the order in which to try them for missing files.
        local_folder: the folder of source `local`; the working directory is the base of a relative path.
        verify: if false, files of any content are taken as they lie in `filepath` or `local_folder`.
        metadata: for plugins; Kedro itself ignores it.

    Raises:
        FashionDGMError: if the name is unknown.
    """

    def __init__(
        self,
        *,
        name: str,
        filepath: str,
        sources: list[str] | None = None,
        local_folder: str | None = None,
        verify: bool = True,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        if name not in RAW_SETS:
            raise FashionDGMError(f"unknown raw image set {name!r}: use one of {', '.join(RAW_SETS)}")
        self._raw_set = RAW_SETS[name]
        self._folder = Path(filepath)
        self._sources = SOURCES if sources is None else sources
        self._local_folder = None if local_folder is None else Path(local_folder)
        self._verify = verify
        self.metadata = metadata

    def load(self) -> dict[str, ImageSet]:
        """Fetches what is missing and reads the files.

        Raises:
            DatasetError: caused by a `FashionDGMError` that says what is wrong with which file or source.
        """
        paths = fetch(self._raw_set, self._folder, self._sources, self._verify, self._local_folder)
        return read_raw_set(paths, self._raw_set.name)

    def save(self, data: NoReturn) -> NoReturn:
        """Refuses: the official images are what they are.

        Raises:
            DatasetError: always.
        """
        raise DatasetError(f"{self._raw_set.title} is read-only: save derived images to an ImageSetDataset")

    def _exists(self) -> bool:
        # Files that are not there yet can be fetched.
        return True

    def _describe(self) -> dict[str, Any]:
        return {
            "name": self._raw_set.name,
            "filepath": str(self._folder),
            "sources": self._sources,
            "local_folder": None if self._local_folder is None else str(self._local_folder),
            "verify": self._verify,
        }
