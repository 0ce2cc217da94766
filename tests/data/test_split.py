import numpy as np
import pytest

from fashion_dgm.data.images import ImageSet
from fashion_dgm.data.split import pool_images, stratified_split
from fashion_dgm.errors import FashionDGMError

BALANCED = np.repeat(np.arange(10, dtype=np.uint8), 60)
SHUFFLED = np.random.default_rng(0).permutation(BALANCED)
UNBALANCED = np.random.default_rng(1).permutation(np.repeat(np.arange(4, dtype=np.uint8), [500, 131, 57, 20]))
OFFICIAL = np.random.default_rng(0).permutation(np.repeat(np.arange(10, dtype=np.uint8), 6000))
LABELS = {
    "balanced": BALANCED,
    "official": OFFICIAL,
    "shuffled": SHUFFLED,
    "unbalanced": UNBALANCED,
    "two": np.array([3, 3, 7, 7]),
}
CASES = [
    (name, fraction)
    for name in ("balanced", "shuffled", "unbalanced")
    for fraction in (0.07, 0.1, 0.2, 1 / 3, 0.5, 0.8)
] + [("two", 0.5), ("official", 0.2)]


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
    if name == "official":
        assert np.bincount(labels[test]).tolist() == [1200] * 10 and len(train) == 48_000
    for label in np.unique(labels):
        assert abs(np.sum(labels[test] == label) - fraction * np.sum(labels == label)) <= 1


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_split_is_a_function_of_the_seed(seed: int) -> None:
    first, again, other = (stratified_split(SHUFFLED, 0.2, seed)[1] for seed in (seed, seed, 7))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


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


@pytest.mark.parametrize(
    ("labels", "fraction", "message"),
    [
        *((BALANCED, fraction, "test_fraction") for fraction in (0.0, 1.0, -0.2, 2.0, float("nan"))),
        *((labels, 0.2, "labels must be integers") for labels in (np.zeros(10), np.zeros((10, 1), dtype=np.uint8))),
    ],
)
def test_fraction_lies_between_0_and_1_and_labels_are_a_row_of_integers(
    labels: np.ndarray, fraction: float, message: str
) -> None:
    with pytest.raises(FashionDGMError, match=message):
        stratified_split(labels, fraction, seed=0)


def test_a_pool_holds_every_image_of_it_with_its_label() -> None:
    def image_set(count: int, size: int = 4) -> ImageSet:
        rng = np.random.default_rng(count)
        images = rng.integers(0, 256, (count, 1, size, size), dtype=np.uint8)
        return ImageSet(images, rng.integers(0, 10, count, dtype=np.uint8))

    train, official_test = image_set(6), image_set(3)
    assert pool_images(train, official_test, "train").sha256 == train.sha256
    pooled = pool_images(train, official_test, "all")
    assert len(pooled) == 9
    assert pooled.take(slice(0, 6)).sha256 == train.sha256
    assert pooled.take(slice(6, 9)).sha256 == official_test.sha256
    with pytest.raises(FashionDGMError, match="cannot pool"):
        pool_images(train, image_set(2, size=5), "all")
