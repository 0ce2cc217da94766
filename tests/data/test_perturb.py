from __future__ import annotations

import numpy as np
import pytest

from fashion_dgm.data.perturb import PERTURBATIONS, brighten, change_contrast, smooth
from fashion_dgm.errors import FashionDGMError

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 1, 12, 12)).astype(np.uint8)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_neutral_level_changes_nothing(name: str) -> None:
    perturb, neutral = PERTURBATIONS[name]
    assert np.array_equal(perturb(IMAGES, neutral), IMAGES)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_levels_below_zero_are_refused(name: str) -> None:
    with pytest.raises(FashionDGMError, match="0 or more"):
        PERTURBATIONS[name][0](IMAGES, -0.1)


def test_brightness_multiplies_and_cuts() -> None:
    image = np.array([[[[0, 1], [101, 200]]]], np.uint8)
    assert brighten(image, 0.5).ravel().tolist() == [0, 0, 50, 100]  # halves go to even
    assert brighten(image, 2).ravel().tolist() == [0, 2, 202, 255]
    assert not brighten(image, 0).any()


def test_contrast_scales_about_the_mean_of_each_image() -> None:
    images = np.array([[[[10, 30]]], [[[100, 200]]]], np.uint8)
    assert change_contrast(images, 0.5).ravel().tolist() == [15, 25, 125, 175]
    assert change_contrast(images, 0).ravel().tolist() == [20, 20, 150, 150]
    assert change_contrast(images, 4).ravel().tolist() == [0, 60, 0, 255]


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
