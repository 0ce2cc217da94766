from pathlib import Path

import pytest
import torch

from fashion_dgm.checkpoint import (
    CheckpointError,
    checkpoint_of,
    load_checkpoint,
    save_checkpoint,
    weights_sha256,
)
from fashion_dgm.gans.networks import Discriminator, Generator
from fashion_dgm.registry import build_model


def generator(width: int = 4) -> Generator:
    torch.manual_seed(width)
    return Generator(latent_dim=10, width=width).to(memory_format=torch.channels_last)


def checkpoint(width: int = 4):
    return checkpoint_of(generator(width), "Generator", {"latent_dim": 10, "width": width}, {"seed": 1, "epoch": 2})


def test_round_trip_rebuilds_the_network(tmp_path: Path) -> None:
    save_checkpoint(checkpoint(), tmp_path / "g.safetensors")
    loaded = load_checkpoint(tmp_path / "g.safetensors")
    assert loaded.training == {"seed": 1, "epoch": 2}
    model = build_model(loaded, "Generator")
    assert not model.training
    z = torch.randn(3, 10)
    torch.testing.assert_close(model(z), generator().eval()(z))


def test_another_architecture_is_an_error() -> None:
    other = checkpoint_of(Discriminator(4), "Discriminator", {"width": 4})
    with pytest.raises(CheckpointError, match="holds a Discriminator, not a Generator"):
        build_model(other, "Generator")


def test_a_model_that_was_never_trained_is_an_error() -> None:
    with pytest.raises(CheckpointError, match="run the pipeline that trains it"):
        build_model(None, "Generator")


@pytest.mark.parametrize("config", [{"latent_dim": 10, "width": 8}, {"latent_dim": 10}, {"width": 4, "depth": 2}])
def test_weights_that_do_not_fit_are_an_error(config: dict[str, int]) -> None:
    with pytest.raises(CheckpointError, match="train it again"):
        build_model(checkpoint_of(generator(), "Generator", config), "Generator")


def test_pickle_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "g.safetensors"
    torch.save(generator().state_dict(), path)
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        load_checkpoint(path)


def test_hash_of_weights_depends_on_values_names_shapes_and_dtypes() -> None:
    zeros = torch.zeros(2, 6)
    sets = [
        {"a": zeros},
        {"b": zeros},
        {"a": zeros.view(3, 4)},
        {"a": zeros.view(12)},
        {"a": zeros.to(torch.int32)},
        {"a": zeros.double().view(12)[:6]},
        {"a": zeros.bfloat16()},
        {"a": zeros.bfloat16() + 1},
        {"a": zeros, "b": torch.tensor(True)},
    ]
    assert len({weights_sha256(weights) for weights in sets}) == len(sets)
    channels_last = {"a": torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last)}
    assert weights_sha256(channels_last) == weights_sha256({"a": channels_last["a"].contiguous()})
