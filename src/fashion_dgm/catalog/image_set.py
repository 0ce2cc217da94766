"""Image sets on disk, with a preview for Kedro-Viz."""

from __future__ import annotations

import base64
import io
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from kedro.io import AbstractDataset

from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.files import atomic_path

if TYPE_CHECKING:
    from kedro_datasets._typing import ImagePreview
    from numpy.typing import NDArray

__all__ = ["ImageSetDataset"]

PREVIEW_ROWS = 4
PREVIEW_COLUMNS = 10
PREVIEW_SCALE = 2


class ImageSetDataset(AbstractDataset[ImageSet, ImageSet]):
    """An image set in an uncompressed `.npz` file of the arrays `images`, `labels` and `name`, free of pickles.

    Saving is atomic, and equal image sets give equal bytes.

    Example:
        ```yaml
        train_images:
          type: fashion_dgm.catalog.image_set.ImageSetDataset
          filepath: data/03_primary/train.npz
        ```

    Arguments:
        filepath: the file.
        metadata: for plugins; Kedro itself ignores it.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(filepath)
        self.metadata = metadata

    def load(self) -> ImageSet:
        """Reads the image set.

        Raises:
            DatasetError: caused by a `FashionDGMError` if the file is missing, damaged or another kind of file.
        """
        remedy = "Delete it and run the pipeline that makes it again."
        try:
            arrays = _read_npz(self._path)
        except FileNotFoundError as error:
            raise FashionDGMError(f"{self._path} does not exist: run the pipeline that makes it first") from error
        except (EOFError, KeyError, OSError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise FashionDGMError(f"{self._path} is damaged or not an image set: {error}. {remedy}") from error
        try:
            return ImageSet(arrays["images"], arrays["labels"], str(arrays["name"]))
        except FashionDGMError as error:
            raise FashionDGMError(f"{self._path} holds no image set: {error}. {remedy}") from error

    def save(self, data: ImageSet) -> None:
        """Replaces the file in one step.

        Raises:
            DatasetError: caused by a `FashionDGMError` if the file cannot be written; the old one is then left as it
                was.
        """
        # Through a handle, because numpy appends .npz to any other name.
        with atomic_path(self._path) as temporary, temporary.open("wb") as handle:
            np.savez(handle, images=data.images, labels=data.labels, name=data.name)

    def preview(self) -> ImagePreview:
        """A base64 PNG of 4 x 10 images for Kedro-Viz: a column a class if there are ten, else the first ones."""
        from kedro_datasets._typing import ImagePreview
        from PIL import Image

        grid = _tile(_preview_images(self.load()))
        buffer = io.BytesIO()
        Image.fromarray(grid.repeat(PREVIEW_SCALE, axis=0).repeat(PREVIEW_SCALE, axis=1)).save(buffer, format="PNG")
        return ImagePreview(base64.b64encode(buffer.getvalue()).decode("ascii"))

    def _exists(self) -> bool:
        return self._path.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    with path.open("rb") as handle:
        content = np.load(handle, allow_pickle=False)
        if not isinstance(content, np.lib.npyio.NpzFile):
            raise ValueError("it holds a single array")
        with content:
            return {name: content[name] for name in ("images", "labels", "name")}


def _preview_images(images: ImageSet) -> NDArray[np.uint8]:
    """Up to 40 images `(40, H, W)`, the missing ones black."""
    by_class = [np.flatnonzero(images.labels == label)[:PREVIEW_ROWS] for label in np.unique(images.labels)]
    if len(by_class) == PREVIEW_COLUMNS and min(map(len, by_class)) == PREVIEW_ROWS:
        index = np.stack(by_class, axis=1).ravel()
    else:
        index = np.arange(min(len(images), PREVIEW_ROWS * PREVIEW_COLUMNS))
    chosen = images.images[index, 0]
    padding = PREVIEW_ROWS * PREVIEW_COLUMNS - len(chosen)
    return np.pad(chosen, [(0, padding), (0, 0), (0, 0)])


def _tile(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`(40, H, W)` to `(4 * H, 10 * W)`, row by row."""
    height, width = images.shape[1:]
    rows = images.reshape(PREVIEW_ROWS, PREVIEW_COLUMNS, height, width)
    return rows.transpose(0, 2, 1, 3).reshape(PREVIEW_ROWS * height, PREVIEW_COLUMNS * width)
