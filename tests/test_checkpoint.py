import hashlib
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from fashion_dgm.checkpoint import (
    CheckpointError,
    checkpoint_of,
    from_bytes,
    load_checkpoint,
    load_shipped,
    save_checkpoint,
    weights_sha256,
)
from fashion_dgm.gans.networks import Discriminator, Generator
from fashion_dgm.registry import build_model

GENERATOR = {"latent_dim": 10, "width": 4}


def generator() -> Generator:
    torch.manual_seed(4)
    return Generator(latent_dim=10, width=4).to(memory_format=torch.channels_last)


def test_round_trip_rebuilds_the_network(tmp_path: Path) -> None:
    trained = checkpoint_of(generator(), "Generator", GENERATOR, {"seed": 1, "epoch": 2})
    save_checkpoint(trained, tmp_path / "g.safetensors")
    loaded = load_checkpoint(tmp_path / "g.safetensors")
    assert loaded.training == {"seed": 1, "epoch": 2}
    model = build_model(loaded, "Generator")
    assert not model.training
    z = torch.randn(3, 10)
    torch.testing.assert_close(model(z), generator().eval()(z))


UNUSABLE = {
    "another architecture": (checkpoint_of(Discriminator(4), "Discriminator", {"width": 4}), "not a Generator"),
    "never trained": (None, "run the pipeline that trains it"),
    "another size": (checkpoint_of(generator(), "Generator", GENERATOR | {"width": 8}), "train it again"),
    "no size": (checkpoint_of(generator(), "Generator", {"latent_dim": 10}), "train it again"),
    "unknown argument": (checkpoint_of(generator(), "Generator", {"width": 4, "depth": 2}), "train it again"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_checkpoint_that_does_not_fit_is_an_error(kind: str) -> None:
    unusable, message = UNUSABLE[kind]
    with pytest.raises(CheckpointError, match=message):
        build_model(unusable, "Generator")


@pytest.mark.parametrize(("content", "message"), [(b"b", "it was changed or damaged"), (None, "install it again")])
def test_a_shipped_file_that_was_changed_or_lost_is_refused(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "shipped.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        load_shipped(path, hashlib.sha256(b"a").hexdigest())


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


@pytest.mark.parametrize("architecture", [["RealNVP"], {"name": "RealNVP"}, 1, None])
def test_an_architecture_that_is_no_name_is_refused(architecture: object) -> None:
    header = {"architecture": architecture, "config": {}, "training": {}}
    content = save({"weight": torch.zeros(1)}, metadata={"fashion_dgm": json.dumps(header)})
    with pytest.raises(CheckpointError, match="another form"):
        from_bytes(content)
