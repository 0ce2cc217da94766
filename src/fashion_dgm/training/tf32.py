"""Whether a GPU may round float32 to TF32: the one place that sets it.

TF32 keeps 10 of float32's 23 bits of mantissa in matrix products and convolutions. torch allows it in convolutions unless
it is disabled.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

__all__ = ["allow_tf32", "tf32", "tf32_is_allowed"]


def allow_tf32(allowed: bool) -> None:
    """Sets it for the whole process."""
    torch.set_float32_matmul_precision("high" if allowed else "highest")
    # Under the old name first and then under the new ones, or torch, which still reads both, finds them at odds.
    torch.backends.cudnn.allow_tf32 = allowed
    if hasattr(torch.backends.cudnn, "conv"):  # from torch 2.9 on
        for operation in (torch.backends.cudnn.conv, torch.backends.cudnn.rnn):
            setattr(operation, "fp32_precision", "tf32" if allowed else "ieee")  # noqa: B010 (unknown to torch's types)


def tf32_is_allowed() -> bool:
    """Whether matrix products or convolutions of float32 may be rounded to TF32."""
    return torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32


@contextlib.contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Allows TF32, or forbids it, within a `with` statement; after it, float32 is float32."""
    allow_tf32(allowed)
    try:
        yield
    finally:
        allow_tf32(False)
