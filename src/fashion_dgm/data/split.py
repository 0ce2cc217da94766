"""Which images are trained on: the pool, and its stratified cut into training and test part."""

# Explained in docs/how-to/data.md.

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError

__all__ = ["pool_images", "stratified_split"]


def stratified_split(
    labels: NDArray[np.integer], test_fraction: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cuts `N` images in two parts in which each class keeps its proportion, up to one image by rounding.

    Arguments:
        labels: integers, `(N,)`.
        test_fraction: the fraction of the test part, in `(0, 1)`; its size is `N * test_fraction`, rounded.
        seed: of the choice within each class.

    Returns:
        Sorted int64 indices of the training and of the test images: disjoint, and together all of `0..N-1`.

    Raises:
        FashionDGMError: if a class is too small to have an image in both parts, or an argument is out of range.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise FashionDGMError(f"labels must be integers of shape (N,), not {labels.dtype} of shape {labels.shape}")
    if not 0 < test_fraction < 1:
        raise FashionDGMError(f"test_fraction must lie between 0 and 1, not {test_fraction}")
    count = len(labels)
    # As an integer: sklearn rounds a fraction up, and 0.07 * 100 is a little more than 7.
    test_count = round(count * test_fraction)
    classes, sizes = np.unique(labels, return_counts=True)
    if len(classes) == 0 or sizes.min() < 2 or not len(classes) <= test_count <= count - len(classes):
        raise _too_small(labels, test_fraction)

    from sklearn.model_selection import train_test_split

    train, test = train_test_split(
        np.arange(count, dtype=np.int64),
        test_size=test_count,
        train_size=count - test_count,
        random_state=seed,
        stratify=labels,
    )
    if any(len(np.unique(labels[part])) < len(classes) for part in (train, test)):
        raise _too_small(labels, test_fraction)
    return np.sort(train), np.sort(test)


def pool_images(train: ImageSet, official_test: ImageSet, pool: Literal["train", "all"]) -> ImageSet:
    """The images to be cut in two: the official training images, or all official images, training images first.

    Raises:
        FashionDGMError: if the images differ in size.
    """
    if pool == "train":
        return train
    if train.images.shape[1:] != official_test.images.shape[1:]:
        raise FashionDGMError(
            f"cannot pool images of shape {train.images.shape[1:]} with others of {official_test.images.shape[1:]}"
        )
    return ImageSet(
        np.concatenate([train.images, official_test.images]),
        np.concatenate([train.labels, official_test.labels]),
        train.name,
    )


def _too_small(labels: NDArray[np.integer], test_fraction: float) -> FashionDGMError:
    classes, sizes = np.unique(labels, return_counts=True)
    smallest = f"class {classes[sizes.argmin()]} has only {sizes.min()}" if len(classes) else "there is none"
    return FashionDGMError(
        f"{len(labels)} images of {len(classes)} classes cannot be split with test_fraction {test_fraction} so that "
        f"each class is in both parts ({smallest}): use more images or a fraction nearer to one half"
    )
