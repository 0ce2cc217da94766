import numpy as np
import pytest

from fashion_dgm.data.perturb import PERTURBATIONS, brighten, mutate, scale_spread, smooth
from fashion_dgm.errors import FashionDGMError

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 1, 12, 12)).astype(np.uint8)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_neutral_level_changes_nothing_and_one_below_zero_is_refused(name: str) -> None:
    perturb, neutral = PERTURBATIONS[name]
    assert np.array_equal(perturb(IMAGES, neutral), IMAGES)
    with pytest.raises(FashionDGMError, match="0 or more"):
        perturb(IMAGES, -0.1)


def test_brightness_multiplies_and_cuts() -> None:
    image = np.array([[[[0, 1], [101, 200]]]], np.uint8)
    assert brighten(image, 0.5).ravel().tolist() == [0, 0, 50, 100]  # halves go to even
    assert brighten(image, 2).ravel().tolist() == [0, 2, 202, 255]
    assert not brighten(image, 0).any()


def test_spread_scales_about_the_mean_image_of_the_set() -> None:
    images = np.array([[[[10, 30]]], [[[100, 200]]]], np.uint8)  # their mean is 55 and 115
    assert scale_spread(images, 0.5).ravel().tolist() == [32, 72, 78, 158]  # halves go to even
    assert scale_spread(images, 0).ravel().tolist() == [55, 115, 55, 115]
    assert scale_spread(images, 4).ravel().tolist() == [0, 0, 235, 255]


@pytest.mark.parametrize("factor", [0.25, 0.9])
def test_spread_keeps_the_mean_and_scales_the_covariance_which_brightness_does_not(factor: float) -> None:
    # Rounding moves no pixel by more than half a grey level: means by 1/2, covariances by 255/2 + 1/4 at most.
    images = np.random.default_rng(1).beta(0.3, 0.6, (400, 1, 3, 3)) * 255
    images = np.rint(images).astype(np.uint8)
    spread, darker = (change(images, factor).reshape(400, -1).astype(float) for change in (scale_spread, brighten))
    before = images.reshape(400, -1).astype(float)
    assert np.abs(spread.mean(0) - before.mean(0)).max() <= 0.5
    bound = 255 / 2 + 1 / 4
    assert np.abs(np.cov(spread.T) - factor**2 * np.cov(before.T)).max() <= bound
    assert np.abs(np.cov(before.T)).max() * (1 - factor**2) > 4 * bound  # the change is more than rounding could make
    # Darker images have nearly the same covariances, but another mean: the argument does not cover them.
    assert np.abs(np.cov(darker.T) - factor**2 * np.cov(before.T)).max() <= bound
    assert np.abs(darker.mean(0) - before.mean(0)).min() > 5


def test_blur_keeps_even_images_and_total_light_and_lowers_variance() -> None:
    even = np.full((1, 1, 9, 9), 77, np.uint8)
    assert np.array_equal(smooth(even, 3), even)
    dot = np.zeros((1, 1, 21, 21), np.uint8)
    dot[0, 0, 10, 10] = 255
    blurred = smooth(dot, 1.0)[0, 0].astype(int)
    assert blurred[10, 10] == round(255 / (2 * np.pi)) == 41  # the kernel's middle, to rounding
    assert np.array_equal(blurred, blurred.T) and np.array_equal(blurred, blurred[::-1])
    spreads = [smooth(IMAGES, sigma).std() for sigma in (0, 0.5, 1, 3)]
    assert spreads == sorted(spreads, reverse=True)


BLACK = np.zeros((50, 1, 28, 28), dtype=np.uint8)


def test_as_many_pixels_mutate_as_the_rate_says_to_uniform_ones_by_the_seed() -> None:
    changed = mutate(BLACK, 0.3, seed=0)
    hit = changed[changed > 0]
    fraction = len(hit) / changed.size
    # One in 256 becomes black again. Four standard deviations: a false alarm once in 16,000 seeds.
    assert abs(fraction - 0.3 * 255 / 256) < 4 * (0.3 * 0.7 / changed.size) ** 0.5
    assert abs(hit.mean() - 128) < 4 * 74 / len(hit) ** 0.5
    assert changed.dtype == np.uint8
    assert np.array_equal(mutate(BLACK, 0.3, 0), changed) and not np.array_equal(mutate(BLACK, 0.3, 1), changed)
    assert np.array_equal(mutate(BLACK, 0.0, 1), BLACK)
    for rate in (-0.1, 1.5):
        with pytest.raises(FashionDGMError, match="mutation rate"):
            mutate(BLACK, rate, 0)
