"""Checkpoints of one network by epoch."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from fashion_dgm.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from fashion_dgm.files import atomic_folder

__all__ = ["SnapshotsDataset"]

Loaders = dict[int, Callable[[], Checkpoint]]


class SnapshotsDataset(AbstractDataset[dict[int, Checkpoint], Loaders]):
    """A folder of checkpoints named by epoch, loaded one at a time and replaced as a whole.

    Kedro's PartitionedDataset leaves the partitions of an earlier, longer run among those of a later one.

    Arguments:
        filepath: the folder.
    """

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Loaders:
        found: Loaders = {}
        for path in sorted(self._filepath.glob("epoch_*.safetensors")):
            match = re.fullmatch(r"epoch_(\d+)", path.stem)
            if match:
                found[int(match[1])] = functools.partial(load_checkpoint, path)
        return found

    def save(self, data: dict[int, Checkpoint]) -> None:
        with atomic_folder(self._filepath) as folder:
            for epoch, checkpoint in data.items():
                save_checkpoint(checkpoint, folder / f"epoch_{epoch:04d}.safetensors")

    def _exists(self) -> bool:
        return any(self._filepath.glob("epoch_*.safetensors"))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
