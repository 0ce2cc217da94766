import json
import warnings
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from fashion_dgm.checkpoint import checkpoint_of
from fashion_dgm.gans.networks import Generator
from fashion_dgm.registry import build_model
from fashion_dgm.training import device as devices
from fashion_dgm.training.device import (
    DeviceError,
    allow_tf32,
    resolve_device,
    resolve_precision,
    tf32,
)
from tests.small import CPU
from tests.training.helpers import run, step_with


@pytest.fixture(autouse=True)
def as_torch_begins():
    """Convolutions in TF32, matrix products not; what a test sets is undone."""
    allow_tf32(False)
    torch.backends.cudnn.allow_tf32 = True
    yield
    allow_tf32(False)


def tf32_is_allowed() -> bool:
    return torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32


def in_force() -> list[bool | str]:
    """All that torch says of it, under its old names and its new ones."""
    found: list[bool | str] = [torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32]
    found.append(torch.get_float32_matmul_precision())
    if hasattr(torch.backends.cudnn, "conv"):
        found += [torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision]
    return found


def test_all_switches_agree_and_none_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        allow_tf32(True)
        assert in_force() == [True, True, "high", "tf32", "tf32"][: len(in_force())]
        allow_tf32(False)
        assert in_force() == [False, False, "highest", "ieee", "ieee"][: len(in_force())]
        # torch's own context manager reads the old name, and fails where the names are at odds.
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            pass


def test_it_is_off_once_a_device_is_chosen_or_a_network_rebuilt() -> None:
    assert tf32_is_allowed()
    resolve_device("cpu")
    assert not tf32_is_allowed()
    allow_tf32(True)
    build_model(checkpoint_of(Generator(10, 4), "Generator", {"latent_dim": 10, "width": 4}), "Generator")
    assert not tf32_is_allowed()


@pytest.mark.parametrize("precision", ["float32", "tf32"])
def test_steps_are_in_the_precision_asked_for_and_evaluation_is_in_float32(
    precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "_has_tf32", lambda device: True)
    in_steps, in_evaluation = set(), set()
    watching = step_with(lambda step, images: in_steps.add(tf32_is_allowed()))
    evaluate = lambda step: in_evaluation.add(tf32_is_allowed()) or {}  # noqa: E731
    run(tmp_path, make=watching, precision=precision, evaluate=evaluate)
    assert in_steps == {precision == "tf32"}
    assert in_evaluation == {False}
    assert not tf32_is_allowed()
    (fingerprint,) = tmp_path.glob("*/fingerprint.json")
    assert json.loads(fingerprint.read_text())["precision"] == precision


def test_a_device_without_it_is_an_error() -> None:
    with pytest.raises(DeviceError, match="precision tf32 needs an NVIDIA GPU"):
        resolve_precision("tf32", CPU)


@pytest.mark.cuda
@pytest.mark.skipif(
    not torch.cuda.is_available() or torch.cuda.get_device_capability() < (8, 0), reason="needs a GPU with TF32"
)
@pytest.mark.parametrize(
    "operation", [lambda x, w: x @ w, lambda x, w: F.conv2d(x.view(1, 256, 16, 16), w.view(256, 256, 1, 1))]
)
def test_float32_keeps_a_mantissa_of_23_bits_on_a_gpu(operation) -> None:
    # Times the identity, no sum rounds: what is lost is lost from the factors. TF32 rounds 1 + 2**-12 to 1.
    x = torch.full((256, 256), 1 + 2**-12, device="cuda")
    w = torch.eye(256, device="cuda")
    with tf32(False):
        assert torch.equal(operation(x, w).flatten(), x.flatten())
    with tf32(True):
        assert operation(x, w).unique().tolist() == [1.0]
