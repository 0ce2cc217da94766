"""Datasets that need not have been made: what some pipeline, run by name only, gives to the report."""

from __future__ import annotations

from typing import Any

from fashion_dgm.catalog.atomic import CSVDataset, JSONDataset
from fashion_dgm.catalog.checkpoint import CheckpointDataset
from fashion_dgm.catalog.figure import FigureDataset
from fashion_dgm.catalog.snapshots import SnapshotsDataset

__all__ = [
    "Optional",
    "OptionalCSVDataset",
    "OptionalCheckpointDataset",
    "OptionalFigureDataset",
    "OptionalJSONDataset",
    "OptionalSnapshotsDataset",
]


class Optional:
    """Lets a dataset load as None where its file does not exist."""

    def load(self) -> Any:
        return super().load() if self.exists() else None  # type: ignore[misc, attr-defined]


class OptionalCSVDataset(Optional, CSVDataset):
    """A table, or None."""


class OptionalCheckpointDataset(Optional, CheckpointDataset):
    """A checkpoint, or None."""


class OptionalFigureDataset(Optional, FigureDataset):
    """The bytes of a PNG, or None."""


class OptionalJSONDataset(Optional, JSONDataset):
    """Metrics, or None."""


class OptionalSnapshotsDataset(Optional, SnapshotsDataset):
    """Generators by epoch, or None."""
