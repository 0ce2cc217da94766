from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from PIL import Image
from tests.conftest import made_up_images

from fashion_dgm.checkpoint import checkpoint_of
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.evaluation.samples import check_images, external_sources, snapshot_sources
from fashion_dgm.gans.networks import Generator

IMAGES = made_up_images(40, 0).images


def test_external_samples_are_drawn_by_seed_with_their_conversion(tmp_path: Path) -> None:
    """What a folder may hold is tested with its reader, in tests/data/ood."""
    for i, image in enumerate(IMAGES):
        Image.fromarray(image[0]).convert("RGB").save(tmp_path / f"{i:03d}.png")

    sources = [external_sources({"mine": str(tmp_path)}, seed)[0] for seed in (0, 0, 1)]
    images, conversion = sources[0].draw(100)
    # All of them, in an order of chance.
    assert {image.numpy().tobytes() for image in images} == {image.tobytes() for image in IMAGES}
    assert not torch.equal(images, torch.from_numpy(IMAGES)) and check_images(images) == []
    assert "colour to grey" in conversion
    first, again, other = (source.draw(10)[0] for source in sources)
    assert torch.equal(first, again)
    assert len(other) == 10 and not torch.equal(first, other)
    with pytest.raises(FashionDGMError, match="gan is a name of the project's own"):
        external_sources({"mine": "a", "gan": "b"}, 0, taken={"gan", "wgan"})


def test_snapshots_share_their_latents_and_are_loaded_when_drawn() -> None:
    load = Mock(return_value=checkpoint_of(Generator(5, 4), "Generator", {"latent_dim": 5, "width": 4}))
    first, second = snapshot_sources({"gan": {2: load, 1: load}}, 0, torch.device("cpu"), 7)
    assert (first.epoch, second.epoch) == (1, 2) and not load.called
    assert torch.equal(first.draw(20)[0], second.draw(20)[0])
    assert load.call_count == 2
