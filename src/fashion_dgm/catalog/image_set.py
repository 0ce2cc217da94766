"""Image sets as catalog entries, with a preview for Kedro-Viz."""

import base64
import io

import numpy as np
from kedro_datasets._typing import ImagePreview
from numpy.typing import NDArray

from fashion_dgm.catalog.files import FileDataset
from fashion_dgm.data.images import ImageSet

__all__ = ["ImageSetDataset"]

PREVIEW_ROWS = 4
PREVIEW_COLUMNS = 10
PREVIEW_SCALE = 2


class ImageSetDataset(FileDataset[ImageSet, ImageSet]):
    """An image set in an uncompressed `.npz` file of the arrays `images`, `labels` and `name`, free of pickles.

    Example:
        ```yaml
        train_images:
          type: fashion_dgm.catalog.image_set.ImageSetDataset
          filepath: data/03_primary/train.npz
        ```
    """

    CONTENT = "an image set"

    def encode(self, data: ImageSet) -> bytes:
        buffer = io.BytesIO()
        np.savez(buffer, images=data.images, labels=data.labels, name=data.name)
        return buffer.getvalue()

    def decode(self, content: bytes) -> ImageSet:
        arrays = np.load(io.BytesIO(content), allow_pickle=False)
        if not isinstance(arrays, np.lib.npyio.NpzFile):
            raise ValueError("it holds a single array")
        return ImageSet(arrays["images"], arrays["labels"], str(arrays["name"]))

    def preview(self) -> ImagePreview:
        """A base64 PNG of 4 x 10 images for Kedro-Viz: a column a class if there are ten, else the first ones."""
        from PIL import Image

        images = _preview_images(self.load())
        height, width = images.shape[1:]
        grid = images.reshape(PREVIEW_ROWS, PREVIEW_COLUMNS, height, width).swapaxes(1, 2)
        pixels = grid.reshape(PREVIEW_ROWS * height, PREVIEW_COLUMNS * width)
        buffer = io.BytesIO()
        Image.fromarray(pixels.repeat(PREVIEW_SCALE, axis=0).repeat(PREVIEW_SCALE, axis=1)).save(buffer, format="PNG")
        return ImagePreview(base64.b64encode(buffer.getvalue()).decode("ascii"))


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
