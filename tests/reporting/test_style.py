import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from fashion_dgm.reporting.style import BLACK, CYCLE, GREY

# Machado, Oliveira and Fernandes (2009), severity 1: what is left of linear RGB without one kind of cone.
SIGHT = {
    "full": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(color: str) -> NDArray[np.float64]:
    values = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    xyz = TO_XYZ @ rgb.clip(0, 1) / (TO_XYZ @ np.ones(3))
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_are_distinguished_with_every_sight(sight: str) -> None:
    seen = {color: lab(SIGHT[sight] @ linear(color)) for color in CYCLE}
    distances = {pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]) for pair in itertools.combinations(CYCLE, 2)}
    # In CIELAB about 2 can just be seen side by side; lines need more.
    assert min(distances.values()) > 15


@pytest.mark.parametrize("color", [BLACK, GREY])
def test_lettering_of_figures_has_the_contrast_that_wcag_asks_for(color: str) -> None:
    luminance = TO_XYZ[1] @ linear(color)
    assert 1.05 / (luminance + 0.05) >= 4.5
