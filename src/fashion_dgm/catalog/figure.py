"""Figures as PNG."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset
from kedro_datasets._typing import ImagePreview

from fashion_dgm.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FigureDataset"]


class FigureDataset(AbstractDataset["Figure", bytes]):
    """Saves a matplotlib figure, loads the bytes of its PNG (Kedro's own dataset cannot load).

    Arguments:
        filepath: the `.png` file.
        dpi: pixels per inch of the figure's size; 200 is sharp on any screen.
    """

    def __init__(self, filepath: str, dpi: int = 200, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self._dpi = dpi
        self.metadata = metadata

    def load(self) -> bytes:
        return self._filepath.read_bytes()

    def save(self, data: Figure) -> None:
        from fashion_dgm.reporting.style import to_png

        png = to_png(data, self._dpi)
        with atomic_path(self._filepath) as temporary:
            temporary.write_bytes(png)

    def preview(self) -> ImagePreview:
        """Returns the picture for Kedro-Viz."""
        return ImagePreview(base64.b64encode(self._filepath.read_bytes()).decode())

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "dpi": self._dpi}
