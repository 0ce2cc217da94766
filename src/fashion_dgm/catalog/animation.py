"""Animations as GIF."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset
from kedro_datasets._typing import ImagePreview

from fashion_dgm.files import atomic_path

__all__ = ["AnimationDataset"]


class AnimationDataset(AbstractDataset[bytes, bytes]):
    """The bytes of a GIF, which browsers, MLflow and most viewers of pictures play.

    Arguments:
        filepath: the `.gif` file.
    """

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> bytes:
        return self._filepath.read_bytes()

    def save(self, data: bytes) -> None:
        with atomic_path(self._filepath) as temporary:
            temporary.write_bytes(data)

    def preview(self) -> ImagePreview:
        """Returns the picture for Kedro-Viz, where it plays."""
        return ImagePreview(base64.b64encode(self._filepath.read_bytes()).decode())

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
