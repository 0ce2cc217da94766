import io

import numpy as np
import pytest
from PIL import Image

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.reporting.animation import animation, frame


def samples(epochs: int) -> dict[int, np.ndarray]:
    rng = np.random.default_rng(0)
    return {5 * epoch: rng.random((6, 1, 28, 28)) for epoch in range(1, epochs + 1)}


def test_frames_are_the_epochs_in_order_without_loss() -> None:
    given = samples(3)
    film = Image.open(io.BytesIO(animation(dict(reversed(given.items())), columns=3, milliseconds=200)))
    assert film.n_frames == 3
    durations = []
    for number, epoch in enumerate(sorted(given)):
        film.seek(number)
        durations.append(film.info["duration"])
        drawn = np.asarray(film.convert("L"))
        np.testing.assert_array_equal(drawn, np.asarray(frame(given[epoch], 3, f"epoch {epoch}")))
        # The first image's pixels, each twice as wide and high, under the label.
        first = drawn[28 : 28 + 56 : 2, 0:56:2]
        np.testing.assert_array_equal(first, np.round(255 * given[epoch][0, 0]))
    assert durations == [200, 200, 1000]
    assert film.info["loop"] == 0


def test_same_samples_same_bytes() -> None:
    assert animation(samples(2), 3, 200) == animation(samples(2), 3, 200)


def test_one_epoch_is_a_film_of_one_frame() -> None:
    assert Image.open(io.BytesIO(animation(samples(1), 3, 200))).format == "GIF"


def test_nothing_to_show_and_diverged_samples_are_errors() -> None:
    with pytest.raises(FashionDGMError, match="no epochs"):
        animation({}, 3, 200)
    broken = samples(1)
    broken[5][0] = np.nan
    with pytest.raises(FashionDGMError, match="epoch 5: samples hold NaN"):
        animation(broken, 3, 200)
