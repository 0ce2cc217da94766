"""The catalog's way to published image sets that a run can do without."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from fashion_dgm.data.ood.build import Fetch
from fashion_dgm.data.ood.published import PUBLISHED_SETS, fetch_published
from fashion_dgm.errors import FashionDGMError

__all__ = ["PublishedSetDataset"]


class PublishedSetDataset(AbstractDataset[NoReturn, Fetch]):
    """Gives a function that reads a published set, fetching its file first if need be: whoever calls it sees it fail.

    Example:
        ```yaml
        kmnist_raw:
          type: fashion_dgm.catalog.published_set.PublishedSetDataset
          name: kmnist
          filepath: data/01_raw/kmnist
        ```

    Arguments:
        name: a key of `PUBLISHED_SETS`.
        filepath: the folder that holds the file, or shall.
        download: whether a missing file may be fetched.
        metadata: for plugins; Kedro itself ignores it.

    Raises:
        FashionDGMError: if the name is unknown.
    """

    def __init__(
        self, *, name: str, filepath: str, download: bool = True, metadata: dict[str, Any] | None = None
    ) -> None:
        if name not in PUBLISHED_SETS:
            raise FashionDGMError(f"unknown published set {name!r}: use one of {', '.join(PUBLISHED_SETS)}")
        self._name = name
        self._folder = Path(filepath)
        self._download = download
        self.metadata = metadata

    def load(self) -> Fetch:
        folder = self._folder
        # Kedro makes paths absolute; what a summary says of a file should not depend on where the project lies.
        if folder.is_relative_to(Path.cwd()):
            folder = folder.relative_to(Path.cwd())
        return partial(fetch_published, PUBLISHED_SETS[self._name], folder, self._download)

    def save(self, data: NoReturn) -> NoReturn:
        raise DatasetError(f"{self._name} is read-only: save derived images to an ImageSetDataset")

    def _exists(self) -> bool:
        # A file that is not there yet may be fetched, and the run does without it if it cannot.
        return True

    def _describe(self) -> dict[str, Any]:
        return {"name": self._name, "filepath": str(self._folder), "download": self._download}
