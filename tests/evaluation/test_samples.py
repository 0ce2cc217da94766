from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.conftest import made_up_images

from fashion_dgm.checkpoint import checkpoint_of
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.evaluation.samples import check_images, external_sources, snapshot_sources
from fashion_dgm.gans.networks import Generator

IMAGES = made_up_images(40, 0).images


def draw(path: Path, n: int = 100, seed: int = 0) -> tuple[np.ndarray, str]:
    (source,) = external_sources({"mine": str(path)}, seed)
    assert source.epoch is None
    images, conversion = source.draw(n)
    assert check_images(images) == []
    return images.numpy(), conversion


def folder_of_pictures(folder: Path, mode: str = "L") -> Path:
    folder.mkdir()
    for i, image in enumerate(IMAGES):
        Image.fromarray(image[0]).convert(mode).save(folder / f"{i:03d}.png")
    return folder


def test_pictures_and_arrays_are_the_same_images_to_the_bit(tmp_path: Path) -> None:
    np.save(tmp_path / "flat.npy", IMAGES[:, 0])
    np.save(tmp_path / "floats.npy", IMAGES / 255)
    np.savez(tmp_path / "named.npz", images=IMAGES, labels=np.zeros(40))
    for path in (folder_of_pictures(tmp_path / "grey"), *sorted(tmp_path.glob("*.np?"))):
        np.testing.assert_array_equal(draw(path)[0], IMAGES)


def test_colour_is_no_obstacle_and_is_reported(tmp_path: Path) -> None:
    images, conversion = draw(folder_of_pictures(tmp_path / "rgb", "RGB"))
    np.testing.assert_array_equal(images, IMAGES)
    assert "colour to grey" in conversion


def test_mixed_sizes_become_one_and_are_reported(tmp_path: Path) -> None:
    folder = folder_of_pictures(tmp_path / "mixed")
    Image.fromarray(IMAGES[0, 0]).resize((56, 64)).save(folder / "large.png")
    images, conversion = draw(folder)
    assert images.shape == (41, 1, 28, 28)
    assert "resized from 56x64 to 28x28" in conversion


def test_of_many_a_draw_by_seed_is_taken(tmp_path: Path) -> None:
    np.save(tmp_path / "many.npy", IMAGES)
    first, again, other = (draw(tmp_path / "many.npy", 10, seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert len(other) == 10 and (first != other).any()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.full((9, 28, 28), np.nan), "NaN"),
        (np.zeros((9, 28)), "has the shape"),
        (np.full((9, 28, 28), 7.0), r"must lie in \[0, 1\]"),
        (np.array([{"a": 1}], dtype=object), "pickle"),
    ],
)
def test_unusable_arrays_say_why(tmp_path: Path, content: np.ndarray, message: str) -> None:
    np.save(tmp_path / "bad.npy", content, allow_pickle=True)
    with pytest.raises(FashionDGMError, match=message):
        draw(tmp_path / "bad.npy")


def test_no_images_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(FashionDGMError, match="is empty"):
        draw(tmp_path)
    with pytest.raises(FashionDGMError, match="there is no file or folder"):
        draw(tmp_path / "absent")


def test_names_of_models_are_taken() -> None:
    with pytest.raises(FashionDGMError, match="gan is a name of the project's own"):
        external_sources({"mine": "a", "gan": "b"}, 0, taken={"gan", "wgan"})


def test_snapshots_share_their_latents_and_are_loaded_when_drawn() -> None:
    torch.manual_seed(0)
    checkpoint = checkpoint_of(Generator(5, 4), "Generator", {"latent_dim": 5, "width": 4})
    loaded = []

    def load():
        loaded.append(1)
        return checkpoint

    first, second = snapshot_sources({"gan": {2: load, 1: load}}, 0, torch.device("cpu"), 7)
    assert (first.epoch, second.epoch) == (1, 2) and not loaded
    assert torch.equal(first.draw(20)[0], second.draw(20)[0])
    assert len(loaded) == 2
