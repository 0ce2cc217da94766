import functools

import numpy as np
import pytest
from scipy.stats import binom, t

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.extrapolation import extrapolated_distance
from fashion_dgm.metrics.frechet import Gaussian, frechet_distance

GROUPS, RUNS, D = 20, 600, 4
SCALES = np.linspace(0.5, 2.0, D)
# Mean and scale of the generator's normal features; the real ones have mean 0 and SCALES.
GENERATORS = {"far": (0.5, SCALES[::-1]), "near": (0.05, 1.05 * SCALES), "perfect": (0.0, SCALES)}


@functools.cache
def simulate(name: str, real: int = 300, fake: int = 300) -> tuple[float, np.ndarray]:
    """Returns the true distance, and estimates with standard errors of RUNS draws of both sides."""
    mean, scales = GENERATORS[name]
    truth = D * mean**2 + ((scales - SCALES) ** 2).sum()
    rng = np.random.default_rng(0)
    draws = ((rng.normal(size=(real, D)) * SCALES, rng.normal(size=(fake, D)) * scales + mean) for _ in range(RUNS))
    fits = [extrapolated_distance(*draw, GROUPS, seed) for seed, draw in enumerate(draws)]
    return truth, np.array([(fit.distance, fit.standard_error) for fit in fits])


@pytest.mark.parametrize(("name", "real"), [("far", 300), ("near", 300), ("perfect", 300), ("far", 1000), ("far", 150)])
def test_intervals_cover_as_they_say_whichever_side_is_small(name: str, real: int) -> None:
    """docs/reading-the-numbers.md#infinite-n

    Intervals at 95 % hold the true distance of the two distributions in as many draws of both sides. False alarm: 1 in 1,000
    by the binomial, below 95 % and, where the distance has a linear term, above. Where it has none, the standard error is
    too large by theory.
    """
    truth, fits = simulate(name, real)
    covered = int((abs(fits[:, 0] - truth) < t.ppf(0.975, GROUPS - 1) * fits[:, 1]).sum())
    low, high = binom.ppf([0.0005, 0.9995], RUNS, 0.95)
    assert covered >= low
    if name == "far":
        assert covered <= high


@pytest.mark.parametrize("fixed", ["one side", "both sides"])
def test_fixed_class_proportions_are_no_chance(fixed: str) -> None:
    """Two classes 6 apart with fixed fractions on one or both sides: groups that are stratified, too, cover as they say.

    Groups drawn at random remove a bias that is not there: where both sides are fixed, the `9 (1 / 300 + 1 / 300)` that
    chance in the fractions would add to the means' part of the distance, to leading order. False alarm as above.
    """
    half = np.repeat([0, 1], 150)
    center = np.array([3.0, 0, 0, 0])
    rng = np.random.default_rng(4)

    def draw(labels: np.ndarray, scale: float) -> np.ndarray:
        return rng.normal(size=(300, D)) * scale + (2 * labels[:, None] - 1) * center

    fits, at_random = [], []
    for seed in range(RUNS):
        other = half if fixed == "both sides" else rng.integers(2, size=300)
        sides = draw(half, 1.0), draw(other, 2.0)
        labels = half, half if fixed == "both sides" else None
        fits.append(extrapolated_distance(*sides, GROUPS, seed, *labels))
        if fixed == "both sides":
            at_random.append(extrapolated_distance(*sides, GROUPS, seed).distance)
    # Covariances are diagonal and differ by the scales: 9 + 1 and 9 + 4, and 1 and 4 three times.
    truth = (np.sqrt(13) - np.sqrt(10)) ** 2 + 3
    found = np.array([(fit.distance, fit.standard_error) for fit in fits])
    covered = int((abs(found[:, 0] - truth) < t.ppf(0.975, GROUPS - 1) * found[:, 1]).sum())
    low, high = binom.ppf([0.0005, 0.9995], RUNS, 0.95)
    assert low <= covered <= high
    if fixed == "both sides":
        removed = found[:, 0] - at_random
        assert abs(removed.mean() - 9 * 2 / 300) < 0.2 * 9 * 2 / 300 + 3.5 * removed.std() / np.sqrt(RUNS)


@pytest.mark.parametrize("name", GENERATORS)
def test_bias_of_both_sides_is_removed(name: str) -> None:
    """What is left is of second order: below a tenth of the first, up to 3.5 standard errors of the mean."""
    truth, fits = simulate(name)
    mean, scales = GENERATORS[name]
    rng = np.random.default_rng(1)
    plain = [
        frechet_distance(*(Gaussian.fit(rng.normal(size=(300, D)) * s + m) for m, s in ((0.0, SCALES), (mean, scales))))
        for _ in range(RUNS)
    ]
    bias, noise = np.mean(plain) - truth, np.std(plain) / np.sqrt(RUNS)
    assert bias > 3.5 * noise
    assert abs(fits[:, 0].mean() - truth) < 0.1 * bias + 3.5 * fits[:, 0].std() / np.sqrt(RUNS)


def test_it_is_the_line_in_one_over_n_through_two_sizes() -> None:
    """Independent of how the fits are computed: `np.delete` and `np.polyfit`, on features far from 0 in single precision."""
    rng = np.random.default_rng(2)
    real, fake = (rng.normal(100, scale, size=(n, 3)).astype(np.float32) for n, scale in ((83, 1.0), (64, 2.0)))
    found = extrapolated_distance(real, fake, 4, seed=5)
    order = np.random.default_rng(5)
    real, fake = (side[order.permutation(len(side))[: len(side) // 4 * 4]] for side in (real, fake))

    def distance(without: int | None) -> float:
        kept = [np.arange(len(side)) % 4 != without for side in (real, fake)]
        return frechet_distance(Gaussian.fit(real[kept[0]]), Gaussian.fit(fake[kept[1]]))

    smaller = np.mean([distance(j) for j in range(4)])
    _, at_zero = np.polyfit([1 / 4, 1 / 3], [distance(None), smaller], 1)
    assert found.distance == pytest.approx(at_zero, rel=1e-6)


def test_too_few_for_the_dimension_are_an_error() -> None:
    features = np.random.default_rng(0).normal(size=(42, 20))
    with pytest.raises(FashionDGMError, match=r"42 images are too few .* 20 features .*: 40 must remain"):
        extrapolated_distance(features, features, 20, seed=0)
    assert np.isfinite(extrapolated_distance(features, features, 21, seed=0).distance)
