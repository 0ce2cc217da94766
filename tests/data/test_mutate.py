"""Mutated images."""

from __future__ import annotations

import numpy as np
import pytest

from fashion_dgm.data.mutate import mutate
from fashion_dgm.errors import FashionDGMError

BLACK = np.zeros((50, 1, 28, 28), dtype=np.uint8)


def test_as_many_pixels_change_as_the_rate_says_and_to_uniform_ones() -> None:
    changed = mutate(BLACK, 0.3, seed=0)
    hit = changed[changed > 0]
    fraction = len(hit) / changed.size
    # One in 256 becomes black again. Four standard deviations: a false alarm once in 16,000 seeds.
    assert abs(fraction - 0.3 * 255 / 256) < 4 * (0.3 * 0.7 / changed.size) ** 0.5
    assert abs(hit.mean() - 128) < 4 * 74 / len(hit) ** 0.5
    assert changed.dtype == np.uint8


def test_a_seed_decides() -> None:
    assert np.array_equal(mutate(BLACK, 0.5, 1), mutate(BLACK, 0.5, 1))
    assert not np.array_equal(mutate(BLACK, 0.5, 1), mutate(BLACK, 0.5, 2))
    assert np.array_equal(mutate(BLACK, 0.0, 1), BLACK)


@pytest.mark.parametrize("rate", [-0.1, 1.5])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(FashionDGMError, match="mutation rate"):
        mutate(BLACK, rate, 0)
