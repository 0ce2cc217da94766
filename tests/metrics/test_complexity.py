import numpy as np
import pytest

from fashion_dgm.metrics.complexity import COMPLEXITIES, black_fraction, png_bits, total_variation


def ladder() -> np.ndarray:
    """From an even image over ever busier ones to noise."""
    rng = np.random.default_rng(0)
    steps = [np.zeros((28, 28)), np.tile(np.arange(28) * 2, (28, 1))]
    steps += [rng.integers(0, amount, (28, 28)) for amount in (8, 64, 256)]
    return np.stack(steps)[:, None].astype(np.uint8)


@pytest.mark.parametrize("name", ["png_bits", "total_variation"])
def test_busier_images_are_more_complex(name: str) -> None:
    values = COMPLEXITIES[name](ladder())
    assert (np.diff(values) > 0).all()


def test_png_of_noise_costs_its_eight_bits_and_that_of_an_even_image_next_to_none() -> None:
    values = png_bits(ladder())
    assert 8 < values[-1] < 9.5
    assert values[0] < 1


def test_total_variation_and_black_fraction_are_exact_on_simple_images() -> None:
    image = np.array([[[[0, 10], [0, 30]]]], np.uint8)
    assert total_variation(image).tolist() == [(10 + 30 + 0 + 20) / 4]
    assert black_fraction(image).tolist() == [0.5]


def test_images_are_measured_one_by_one() -> None:
    images = ladder()
    for measure in COMPLEXITIES.values():
        assert measure(images).tolist() == [measure(image[None])[0] for image in images]
