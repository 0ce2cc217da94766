from __future__ import annotations

import numpy as np
import pytest

from fashion_dgm.data.images import ImageSet
from fashion_dgm.data.split import pool_images, stratified_split
from fashion_dgm.errors import FashionDGMError

BALANCED = np.repeat(np.arange(10, dtype=np.uint8), 60)
SHUFFLED = np.random.default_rng(0).permutation(BALANCED)
UNBALANCED = np.random.default_rng(1).permutation(np.repeat(np.arange(4, dtype=np.uint8), [500, 131, 57, 20]))
LABELS = {"balanced": BALANCED, "shuffled": SHUFFLED, "unbalanced": UNBALANCED, "two": np.array([3, 3, 7, 7])}
CASES = [
    (name, fraction)
    for name in ("balanced", "shuffled", "unbalanced")
    for fraction in (0.07, 0.1, 0.2, 1 / 3, 0.5, 0.8)
] + [("two", 0.5)]


@pytest.mark.parametrize(("name", "fraction"), CASES)
def test_parts_are_disjoint_complete_sorted_of_exact_size_and_stratified(name: str, fraction: float) -> None:
    """docs/how-to/data.md#the-split"""
    labels = LABELS[name]
    train, test = stratified_split(labels, fraction, seed=0)
    assert train.dtype == test.dtype == np.int64
    assert np.all(np.diff(train) > 0)
    assert np.all(np.diff(test) > 0)
    assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(len(labels)))
    assert len(test) == round(len(labels) * fraction)
    for label in np.unique(labels):
        assert abs(np.sum(labels[test] == label) - fraction * np.sum(labels == label)) <= 1


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_split_is_a_function_of_the_seed(seed: int) -> None:
    first, again, other = (stratified_split(SHUFFLED, 0.2, seed)[1] for seed in (seed, seed, 7))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_official_pool_is_cut_in_48000_and_12000() -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(10, dtype=np.uint8), 6000))
    train, test = stratified_split(labels, 0.2, seed=0)
    assert np.bincount(labels[train]).tolist() == [4800] * 10
    assert np.bincount(labels[test]).tolist() == [1200] * 10


@pytest.mark.parametrize(
    ("labels", "fraction"),
    [
        (np.array([0, 0, 0, 0, 1]), 0.4),
        (np.arange(10), 0.5),
        (np.repeat(np.arange(10), 3), 0.1),
        (np.repeat([0, 1], [100, 2]), 0.1),
        (np.repeat([0, 1], [100, 2]), 0.9),
        (np.array([], dtype=np.uint8), 0.2),
    ],
    ids=["one of a class", "one of each", "fewer than classes", "none in test", "none in train", "no images"],
)
def test_a_class_too_small_for_both_parts_is_an_error(labels: np.ndarray, fraction: float) -> None:
    with pytest.raises(FashionDGMError, match="cannot be split") as caught:
        stratified_split(labels, fraction, seed=0)
    values, counts = np.unique(labels, return_counts=True)
    assert len(labels) == 0 or f"class {values[counts.argmin()]} has only {counts.min()}" in str(caught.value)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.2, 2.0, float("nan")])
def test_fraction_must_lie_between_0_and_1(fraction: float) -> None:
    with pytest.raises(FashionDGMError, match="test_fraction"):
        stratified_split(BALANCED, fraction, seed=0)


@pytest.mark.parametrize("labels", [np.zeros(10), np.zeros((10, 1), dtype=np.uint8)])
def test_labels_must_be_a_row_of_integers(labels: np.ndarray) -> None:
    with pytest.raises(FashionDGMError, match="labels must be integers"):
        stratified_split(labels, 0.2, seed=0)


def image_set(count: int, seed: int, size: int = 4) -> ImageSet:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, 1, size, size), dtype=np.uint8)
    return ImageSet(images, rng.integers(0, 10, count, dtype=np.uint8))


def test_a_pool_holds_every_image_of_it_with_its_label() -> None:
    train, official_test = image_set(6, 0), image_set(3, 1)
    assert pool_images(train, official_test, "train").sha256 == train.sha256
    pooled = pool_images(train, official_test, "all")
    assert len(pooled) == 9
    assert pooled.take(slice(0, 6)).sha256 == train.sha256
    assert pooled.take(slice(6, 9)).sha256 == official_test.sha256


@pytest.mark.parametrize(("size", "pool", "message"), [(5, "all", "cannot pool"), (4, "some", "unknown pool")])
def test_pool_refuses_images_of_other_size_and_unknown_names(size: int, pool: str, message: str) -> None:
    with pytest.raises(FashionDGMError, match=message):
        pool_images(image_set(2, 0), image_set(2, 1, size), pool)
