"""Checkpoints as safetensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from fashion_dgm.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

__all__ = ["CheckpointDataset"]


class CheckpointDataset(AbstractDataset[Checkpoint, Checkpoint]):
    """Weights and architecture of one network; nothing is unpickled.

    Arguments:
        filepath: the `.safetensors` file.
    """

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Checkpoint:
        return load_checkpoint(self._filepath)

    def save(self, data: Checkpoint) -> None:
        save_checkpoint(data, self._filepath)

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
