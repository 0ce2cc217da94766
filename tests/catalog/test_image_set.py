import base64
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError
from PIL import Image

from fashion_dgm.catalog.image_set import ImageSetDataset
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError


def image_set(count: int = 60, classes: int = 10) -> ImageSet:
    images = np.random.default_rng(0).integers(0, 256, (count, 1, 28, 28), dtype=np.uint8)
    return ImageSet(images, (np.arange(count) % classes).astype(np.uint8), "mnist")


@pytest.fixture
def dataset(tmp_path: Path) -> ImageSetDataset:
    return ImageSetDataset(filepath=str(tmp_path / "train.npz"))


def write_array(path: Path) -> None:
    with path.open("wb") as handle:
        np.save(handle, IMAGES)


IMAGES, LABELS, NAME = image_set().images, image_set().labels, np.array("mnist")
DAMAGES: dict[str, Callable[[Path], object]] = {
    "text": lambda path: path.write_text("not an image set"),
    "single array": write_array,
    "no labels": lambda path: np.savez(path, images=IMAGES, name=NAME),
    "no name": lambda path: np.savez(path, images=IMAGES, labels=LABELS),
    "pickles": lambda path: np.savez(path, images=IMAGES, labels=np.array([{}], dtype=object), name=NAME),
    "floats": lambda path: np.savez(path, images=IMAGES / 255, labels=LABELS, name=NAME),
    "too few labels": lambda path: np.savez(path, images=IMAGES, labels=LABELS[1:], name=NAME),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_an_error_that_names_the_file(dataset: ImageSetDataset, tmp_path: Path, damage: str) -> None:
    DAMAGES[damage](tmp_path / "train.npz")
    with pytest.raises(DatasetError, match=r"is damaged or not an image set: .*Delete it") as caught:
        dataset.load()
    assert isinstance(caught.value.__cause__, FashionDGMError)
    assert str(tmp_path / "train.npz") in str(caught.value.__cause__)


def preview(dataset: ImageSetDataset, images: ImageSet) -> np.ndarray:
    """The images in the preview, `(4, 10, 28, 28)`."""
    dataset.save(images)
    with Image.open(io.BytesIO(base64.b64decode(dataset.preview()))) as image:
        assert image.format == "PNG"
        return np.asarray(image)[::2, ::2].reshape(4, 28, 10, 28).transpose(0, 2, 1, 3)


def test_preview_has_a_column_a_class(dataset: ImageSetDataset) -> None:
    images = image_set().take(np.random.default_rng(1).permutation(60))
    grid = preview(dataset, images)
    for label in range(10):
        assert np.array_equal(grid[:, label], images.images[images.labels == label][:4, 0])


@pytest.mark.parametrize(("count", "classes"), [(60, 3), (45, 26), (39, 10), (1, 1)])
def test_preview_of_other_sets_has_the_first_images(dataset: ImageSetDataset, count: int, classes: int) -> None:
    images = image_set(count, classes)
    grid, shown = preview(dataset, images).reshape(40, 28, 28), min(count, 40)
    assert np.array_equal(grid[:shown], images.images[:shown, 0])
    assert not grid[shown:].any()
