"""Checkpoints of one network by epoch."""

from __future__ import annotations

import functools
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from fashion_dgm.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from fashion_dgm.errors import FashionDGMError

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
        try:
            self._filepath.parent.mkdir(parents=True, exist_ok=True)
            new = Path(tempfile.mkdtemp(dir=self._filepath.parent, prefix=f".{self._filepath.name}."))
        except OSError as error:
            raise FashionDGMError(
                f"cannot write {self._filepath}: {error.strerror}; make its folder writable"
            ) from error
        try:
            new.chmod(0o755)
            for epoch, checkpoint in data.items():
                save_checkpoint(checkpoint, new / f"epoch_{epoch:04d}.safetensors")
            old = new.with_name(f"{new.name}.old")
            if self._filepath.exists():
                self._filepath.rename(old)
            new.rename(self._filepath)
            shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def _exists(self) -> bool:
        return any(self._filepath.glob("epoch_*.safetensors"))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
