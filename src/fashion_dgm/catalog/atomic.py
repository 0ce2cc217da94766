"""Kedro's own file datasets, writing atomically."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from kedro_datasets.json import JSONDataset as KedroJSONDataset
from kedro_datasets.pandas import CSVDataset as KedroCSVDataset
from kedro_datasets.text import TextDataset as KedroTextDataset

from fashion_dgm.files import atomic_path

__all__ = ["CSVDataset", "JSONDataset", "TextDataset"]


class _Atomic:
    """Lets the dataset write to a temporary sibling, which then takes the file's place."""

    _filepath: PurePosixPath

    def save(self, data: Any) -> None:
        final = self._filepath
        with atomic_path(Path(final)) as temporary:
            self._filepath = PurePosixPath(temporary)
            try:
                super().save(data)  # type: ignore[misc]
            finally:
                self._filepath = final


class CSVDataset(_Atomic, KedroCSVDataset):
    """A table: pandas' DataFrame as CSV."""


class JSONDataset(_Atomic, KedroJSONDataset):
    """Metrics as JSON, sorted by name; NaN and infinity, which JSON cannot represent, are refused."""

    DEFAULT_SAVE_ARGS = {"indent": 2, "sort_keys": True, "allow_nan": False}  # noqa: RUF012 (as in the base class)


class TextDataset(_Atomic, KedroTextDataset):
    """A text such as the report."""
