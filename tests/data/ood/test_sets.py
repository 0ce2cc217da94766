"""Transformed and synthetic images are what they are said to be."""

import numpy as np
import pytest

from fashion_dgm.data.ood import synthetic
from fashion_dgm.data.ood.chance import choose
from fashion_dgm.data.ood.convert import Conversion
from fashion_dgm.data.ood.published import DIGITS_CONVERSION, load_digits
from fashion_dgm.data.ood.transforms import horizontal_flip, inverted, shuffled, vertical_flip

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 1, 28, 28), dtype=np.uint8)


def test_flips_and_negative_by_the_pixel() -> None:
    assert np.array_equal(vertical_flip(IMAGES, 0)[3, 0, 0], IMAGES[3, 0, 27])
    assert np.array_equal(horizontal_flip(IMAGES, 0)[3, 0, :, 0], IMAGES[3, 0, :, 27])
    assert np.array_equal(inverted(IMAGES, 0).astype(int), 255 - IMAGES.astype(int))
    for transform in (vertical_flip, horizontal_flip, inverted):
        assert np.array_equal(transform(transform(IMAGES, 0), 0), IMAGES)


def test_shuffling_is_one_permutation_of_pixels_for_all_images() -> None:
    # Each pixel encodes its own place, so that the permutation can be read off.
    places = np.arange(784)
    low, high = (part.reshape(1, 1, 28, 28).astype(np.uint8) for part in (places % 256, places // 256))
    images = np.concatenate([low, high, IMAGES])
    found = shuffled(images, 5)
    order = found[0].ravel().astype(int) + 256 * found[1].ravel().astype(int)
    assert np.array_equal(np.sort(order), places) and not np.array_equal(order, places)
    assert np.array_equal(found[2:].reshape(20, 784), IMAGES.reshape(20, 784)[:, order])
    assert np.array_equal(found, shuffled(images, 5)) and not np.array_equal(found, shuffled(images, 6))


def test_uniform_noise_is_uniform_and_without_structure() -> None:
    noise = synthetic.synthesise("uniform_noise", 2000, IMAGES, 0)
    counts = np.bincount(noise.ravel(), minlength=256)
    expected = noise.size / 256
    # A chi-squared of 255 degrees is above 360 with a probability of 1e-5.
    assert ((counts - expected) ** 2 / expected).sum() < 360
    neighbours = np.corrcoef(noise[..., :-1].ravel(), noise[..., 1:].ravel())[0, 1]
    assert abs(neighbours) < 5 / np.sqrt(noise.size)


def test_gaussian_noise_has_the_moments_of_training_images() -> None:
    # Far from the bounds, where cutting changes nothing.
    train = np.random.default_rng(1).normal(120, 15, (500, 1, 28, 28)).round().astype(np.uint8)
    noise = synthetic.synthesise("gaussian_noise", 2000, train, 0).astype(float)
    assert abs(noise.mean() - train.mean()) < 0.1
    assert abs(noise.std() - train.std()) < 0.1
    kurtosis = ((noise - noise.mean()) ** 4).mean() / noise.var() ** 2
    assert abs(kurtosis - 3) < 0.05


@pytest.mark.parametrize(("name", "levels"), [("black", {0}), ("white", {255}), ("grey_levels", set(range(256)))])
def test_constants_are_constant(name: str, levels: set[int]) -> None:
    images = synthetic.synthesise(name, 10_000, IMAGES, 0)
    assert images.shape == (256, 1, 28, 28)
    assert (images == images[:, :, :1, :1]).all()
    assert set(images[:, 0, 0, 0].tolist()) == levels
    assert set(synthetic.synthesise(name, 2, IMAGES, 0)[:, 0, 0, 0].tolist()) <= levels


def test_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits as original

    images = load_digits()
    assert images.shape == (1797, 1, 28, 28) and images.dtype == np.uint8
    resized = Conversion({(8, 8)}).describe()
    assert DIGITS_CONVERSION.endswith(resized)
    # 28 is 3.5 times 8: means over blocks of two pixels of the original are the same before and after.
    before = original().images.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)) * 255 / 16
    after = images.reshape(-1, 4, 7, 4, 7).mean(axis=(2, 4))
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.99


def test_choice_is_without_repetition_and_depends_on_the_seed() -> None:
    assert set(choose(5, 9, 0).tolist()) == set(range(5))
    chosen = choose(1000, 100, 0)
    assert len(set(chosen.tolist())) == 100 and chosen.max() < 1000
    assert not np.array_equal(chosen, choose(1000, 100, 1))


def test_first_images_of_a_choice_are_a_choice_of_all() -> None:
    assert np.array_equal(choose(10_000, 2000, 0)[:500], choose(10_000, 500, 0))
    # Of 500 independent indices, the mean has a standard deviation of 129.
    assert abs(choose(10_000, 2000, 0)[:500].mean() - 5000) < 4 * 129
