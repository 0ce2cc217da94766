import numpy as np
import pytest
import torch
from torchmetrics.image.kid import poly_mmd

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.kernel_distance import kernel_distance, squared_mmd


def features(n: int, seed: int, shift: float = 0.0, d: int = 16) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=(n, d)) + shift).astype(np.float32)


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_equals_torchmetrics_on_one_subset(shift: float) -> None:
    real, fake = features(200, 0), features(200, 1, shift)
    expected = poly_mmd(torch.from_numpy(real).double(), torch.from_numpy(fake).double())
    assert squared_mmd(real, fake) == pytest.approx(float(expected), abs=1e-10)


def test_equals_its_definition_for_unequal_sizes() -> None:
    real, fake = features(7, 0).astype(np.float64), features(5, 1, 0.5).astype(np.float64)

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / 16 + 1) ** 3)

    within_real = np.mean([kernel(a, b) for i, a in enumerate(real) for j, b in enumerate(real) if i != j])
    within_fake = np.mean([kernel(a, b) for i, a in enumerate(fake) for j, b in enumerate(fake) if i != j])
    across = np.mean([kernel(a, b) for a in real for b in fake])
    assert squared_mmd(real, fake) == pytest.approx(within_real + within_fake - 2 * across, rel=1e-12)


def test_is_unbiased_at_any_size() -> None:
    # Two sets of one distribution: the mean of independent estimates lies within 4 standard errors of 0, a false alarm
    # once in 16,000 draws. The biased V-statistic would be at about 1/N E k(x, x), 30 standard errors away.
    estimates = [squared_mmd(features(20, 2 * i), features(20, 2 * i + 1)) for i in range(400)]
    error = np.std(estimates) / 20
    assert abs(np.mean(estimates)) < 4 * error
    biased = np.mean((features(20, 0) ** 2).sum(axis=1) / 16 + 1) ** 3 / 20
    assert biased > 20 * error


def test_subsets_differ_even_of_small_sets_and_repeat_by_seed() -> None:
    sides = features(40, 0), features(60, 1)
    found = kernel_distance(*sides, 10, 1000, seed=0)
    assert found.subset_size == 20 and found.deviation > 0
    rng = np.random.default_rng(0)
    expected = [
        float(poly_mmd(*(torch.from_numpy(side[rng.choice(len(side), 20, replace=False)]).double() for side in sides)))
        for _ in range(10)
    ]
    assert (found.mean, found.deviation) == pytest.approx((np.mean(expected), np.std(expected)))
    assert found == kernel_distance(*sides, 10, 1000, seed=0)
    assert found != kernel_distance(*sides, 10, 1000, seed=1)


@pytest.mark.parametrize(
    ("fake", "message"),
    [
        (np.full((40, 16), np.nan), "NaN"),
        (np.zeros((40, 8)), "dimension 8 and 16"),
        (np.zeros((3, 16)), "at least 4 images"),
    ],
)
def test_unusable_features_are_an_error(fake: np.ndarray, message: str) -> None:
    with pytest.raises(FashionDGMError, match=message):
        kernel_distance(features(40, 0), fake, 5, 10, seed=0)
