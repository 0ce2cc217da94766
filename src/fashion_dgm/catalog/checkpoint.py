"""Checkpoints as safetensors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from kedro_datasets._typing import JSONPreview

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

    def preview(self) -> JSONPreview:
        """Returns for Kedro-Viz what the network is and how it was trained."""
        checkpoint = load_checkpoint(self._filepath)
        numbers = sum(tensor.numel() for tensor in checkpoint.weights.values())
        about = {"architecture": checkpoint.architecture, "numbers": numbers}
        return JSONPreview(json.dumps(about | {"config": checkpoint.config, "training": checkpoint.training}))

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
