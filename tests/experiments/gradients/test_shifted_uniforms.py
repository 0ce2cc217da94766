import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.experiments.gradients.shifted_uniforms import DISTANCES, closed_form, estimate

SHIFTS = (-2.0, -0.3, 0.0, 0.25, 1.0, 1.7)


def integrate(function, shift: float) -> float:
    """Of a function of both densities, piece by piece between their jumps."""
    jumps = sorted({0.0, 1.0, shift, shift + 1.0})
    p, q = (lambda x: float(0 <= x <= 1)), (lambda x: float(shift <= x <= shift + 1))
    return sum(quad(lambda x: function(p(x), q(x)), a, b)[0] for a, b in pairwise(jumps))


@pytest.mark.parametrize("shift", SHIFTS)
def test_closed_forms_are_the_integrals(shift: float) -> None:
    """docs/theory/vanishing-gradients.md#the-wasserstein-distance-measures-the-shift"""

    def half_of_js(p: float, q: float) -> float:
        return 0.5 * p * math.log(2 * p / (p + q)) if p else 0.0

    found = {name: float(value) for name, value in closed_form(shift).items()}
    assert tuple(found) == DISTANCES
    assert found["total_variation"] == pytest.approx(integrate(lambda p, q: abs(p - q) / 2, shift))
    js = integrate(lambda p, q: half_of_js(p, q) + half_of_js(q, p), shift)
    assert found["jensen_shannon"] == pytest.approx(js)
    # In one dimension W1 is the area between the distribution functions.
    area, _ = quad(lambda x: abs(np.clip(x, 0, 1) - np.clip(x - shift, 0, 1)), -3, 4, points=[0, 1, shift, shift + 1])
    assert found["wasserstein"] == pytest.approx(area)
    assert found["kl"] == (math.inf if shift else 0.0)


@pytest.mark.parametrize("shift", SHIFTS)
def test_samples_agree_with_the_closed_forms(shift: float) -> None:
    # TV is biased by up to sqrt(bins / samples) = 0.03, and as much again is 10 standard deviations of what is left.
    exact = closed_form(shift)
    found = estimate(shift, 50_000, 50, np.random.default_rng(0))
    for name in ("total_variation", "jensen_shannon", "wasserstein"):
        assert found[name] == pytest.approx(float(exact[name]), abs=0.06), name
    assert math.isinf(found["kl"]) == (abs(shift) > 0.1)
    with pytest.raises(FashionDGMError, match="cannot fill"):
        estimate(shift, 10, 50, np.random.default_rng(0))
