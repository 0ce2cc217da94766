"""Where and in which precision to compute, and whether a GPU may round float32 to TF32: the one place that sets it.

TF32 keeps 10 of float32's 23 bits of mantissa in matrix products and convolutions. torch allows it in convolutions unless
it is disabled.
"""

import contextlib
from collections.abc import Iterator

import torch

from fashion_dgm.errors import FashionDGMError

__all__ = ["DeviceError", "allow_tf32", "resolve_device", "resolve_precision", "tf32"]


class DeviceError(FashionDGMError):
    """The device asked for is unknown or not present."""


def resolve_device(name: str) -> torch.device:
    """Returns the device called `name`, or the best one present for `"auto"` (cuda, then cpu).

    From then on, float32 is float32 on a GPU, and TF32 is not used but where a training asks for it.

    Raises:
        DeviceError: if torch doesn't know the name or the machine lacks the device.
    """
    allow_tf32(False)
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        # Not mps: evaluations need float64, which it has not.
        return torch.device("cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise DeviceError(f"device {name!r} is unknown; use 'auto', 'cpu', 'cuda', 'cuda:0' or 'mps'") from error
    present = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not present.get(device.type, False):
        here = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
        here += ["mps"] if present["mps"] else []
        raise DeviceError(f"device {name!r} is not on this machine, which has {', '.join(here)}; set `device: auto`")
    return device


def resolve_precision(name: str, device: torch.device) -> torch.dtype:
    """Returns the dtype of matrix products and convolutions, one of float32 and bfloat16.

    `"auto"` takes bfloat16 where the hardware has instructions for it, for there it is faster; elsewhere it is
    emulated. `"tf32"` is float32 that is rounded inside of matrix products, as `tf32` allows.

    Raises:
        DeviceError: for `"tf32"` on a device without it.
    """
    if name == "tf32" and not _has_tf32(device):
        raise DeviceError(
            f"precision tf32 needs an NVIDIA GPU of compute capability 8.0 or later, and the device is {device}; "
            "set `precision: float32`"
        )
    if name in ("float32", "tf32"):
        return torch.float32
    if name == "bfloat16":
        return torch.bfloat16
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if device.type == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()):
        return torch.bfloat16
    return torch.float32


def _has_tf32(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)


def allow_tf32(allowed: bool) -> None:
    """Sets it for the whole process."""
    torch.set_float32_matmul_precision("high" if allowed else "highest")
    # Under the old name first and then under the new ones, or torch, which still reads both, finds them at odds.
    torch.backends.cudnn.allow_tf32 = allowed
    if hasattr(torch.backends.cudnn, "conv"):  # from torch 2.9 on
        for operation in (torch.backends.cudnn.conv, torch.backends.cudnn.rnn):
            setattr(operation, "fp32_precision", "tf32" if allowed else "ieee")  # noqa: B010 (unknown to torch's types)


@contextlib.contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Allows TF32, or forbids it, within a `with` statement; after it, float32 is float32."""
    allow_tf32(allowed)
    try:
        yield
    finally:
        allow_tf32(False)
