import contextlib
import io
import tracemalloc

import numpy as np
import pytest
from prdc import compute_prdc

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.metrics.neighbours import neighbourhoods, radii


def features(n: int, seed: int, shift: float = 0.0, scale: float = 1.0, d: int = 8) -> np.ndarray:
    return (scale * np.random.default_rng(seed).normal(size=(n, d)) + shift).astype(np.float32)


# The last generator has collapsed to one image.
@pytest.mark.parametrize(
    ("n", "m", "shift", "scale"), [(300, 300, 0, 1), (200, 350, 0.5, 1), (250, 150, 0, 0.3), (100, 100, 0, 0)]
)
def test_equals_the_authors_code(n: int, m: int, shift: float, scale: float) -> None:
    real, fake = features(n, 0), features(m, 1, shift, scale)
    with contextlib.redirect_stdout(io.StringIO()):
        expected = compute_prdc(real, fake, nearest_k=5)
    found = neighbourhoods(real, fake, k=5, memory_megabytes=16)
    for name, value in expected.items():
        assert getattr(found, name) == pytest.approx(value, abs=1e-12), name


def test_radii_are_the_distances_to_the_kth_neighbour() -> None:
    points = np.array([[0.0], [1.0], [3.0], [7.0]])
    np.testing.assert_allclose(radii(points, 1, 1), [1, 1, 4, 16])
    np.testing.assert_allclose(radii(points, 2, 1), [9, 4, 9, 36])


def test_chunks_change_nothing_and_bound_memory() -> None:
    real, fake = features(1500, 0), features(1500, 1)
    tracemalloc.start()
    small = neighbourhoods(real, fake, k=5, memory_megabytes=1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # All distances at once would take 18 MB, features in float64 take 0.1 MB a set.
    assert peak < 3 * 2**20
    assert small == neighbourhoods(real, fake, k=5, memory_megabytes=256)


def test_too_few_images_are_an_error() -> None:
    with pytest.raises(FashionDGMError, match="5 images have no 5 nearest neighbours"):
        neighbourhoods(features(20, 0), features(5, 1), k=5, memory_megabytes=16)
