import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.stats import mannwhitneyu

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.findings.criteria import copying_error
from fashion_dgm.metrics.memorisation import copying_probability, nearest
from tests.conftest import made_up_images


def pixels(images) -> torch.Tensor:
    return torch.from_numpy(images.images)


@pytest.mark.parametrize("chunk", [1, 7, 300, 1000])
def test_nearest_is_exact_whatever_the_chunk(chunk: int) -> None:
    images, queries = pixels(made_up_images(300, seed=0)), pixels(made_up_images(40, seed=1)) / 255
    expected = cdist(queries.flatten(1).double(), images.flatten(1).double() / 255)
    distances, index = nearest(queries, images, chunk)
    np.testing.assert_array_equal(index, expected.argmin(axis=1))
    np.testing.assert_allclose(distances, expected.min(axis=1), rtol=1e-5)
    distances, index = nearest(images[[5, 250, 17]] / 255, images, chunk)
    assert index.tolist() == [5, 250, 17]
    assert distances.max() < 1e-6


def test_copying_probability_is_the_mann_whitney_statistic() -> None:
    rng = np.random.default_rng(0)
    generated, held_out = rng.integers(0, 20, 60).astype(float), rng.integers(2, 25, 45).astype(float)
    statistic = mannwhitneyu(held_out, generated).statistic / (60 * 45)
    found = copying_probability(torch.from_numpy(generated), torch.from_numpy(held_out))
    assert found == pytest.approx(statistic)
    assert copying_probability(torch.ones(3), torch.ones(2)) == 0.5
    assert copying_probability(torch.zeros(3), torch.ones(2)) == 1.0


def test_a_memorising_generator_is_distinguished_from_an_honest_one() -> None:
    """Fresh draws of the same distribution lie within 4 standard deviations of a half: false alarm 1 in 16,000."""
    train, held_out, fresh = (pixels(made_up_images(n, seed)) for n, seed in ((400, 0), (150, 1), (150, 2)))
    noise = torch.randn(150, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    copied = (train[:150] / 255 + 0.005 * noise).clamp(0, 1)
    unseen, _ = nearest(held_out / 255, train)
    honest, memorised = (copying_probability(nearest(images, train)[0], unseen) for images in (fresh / 255, copied))
    assert abs(honest - 0.5) < 4 * copying_error(150)
    assert memorised > 0.99


def test_noise_of_the_statistic() -> None:
    generator = torch.Generator().manual_seed(0)
    draws = [
        copying_probability(torch.randn(40, generator=generator), torch.randn(40, generator=generator))
        for _ in range(2000)
    ]
    # The standard deviation of 2,000 draws is known to 1.6%; 5 of those, for a false alarm in two million.
    assert np.std(draws) == pytest.approx(copying_error(40), rel=0.08)


def test_no_distances_is_an_error() -> None:
    with pytest.raises(FashionDGMError, match="at least one"):
        copying_probability(torch.ones(0), torch.ones(2))
