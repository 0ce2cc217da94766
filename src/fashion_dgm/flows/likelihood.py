"""Bits per dimension of many images."""

# Derived in docs/theory/bits-per-dim.md, docs/theory/change-of-variables.md and docs/theory/likelihood-ood.md.

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.flow import Flow
from fashion_dgm.training.seeds import generator

__all__ = ["bits_per_dim_of", "mean_bits_per_dim"]


@torch.no_grad()
def bits_per_dim_of(
    flow: Flow,
    images: Tensor,
    batch_size: int,
    seed: int,
    precision: torch.dtype,
    probes: int = 0,
) -> NDArray[np.float64]:
    """Returns the bits per dimension of each image, in evaluation mode, batch by batch.

    The noise is drawn on the CPU in the order of the images, so that it depends neither on the batch size nor on the
    device. The flow is left in the mode it was in.

    Arguments:
        flow: the model, on any device.
        images: uint8 in 0..255, `(N, C, H, W)`, on any device.
        batch_size: images at once.
        seed: of the dequantisation noise.
        precision: float32, or bfloat16 for the networks in the couplings.
        probes: which draw of probes, where the flow estimates its log-determinant; then the estimate of an image, unlike
            its noise, depends on the batch it is in.

    Returns:
        float64, `(N,)`.

    Raises:
        FashionDGMError: if there are no images, the batch size is below 1, or images don't fit the flow.
    """
    if len(images) == 0 or batch_size < 1:
        raise FashionDGMError(
            f"a likelihood needs at least one image and a batch size of at least 1, not {len(images)} and {batch_size}"
        )
    device = next(flow.parameters()).device
    noise = torch.Generator().manual_seed(seed)
    estimator = generator(seed, "probes", probes)
    training = flow.training
    flow.eval()
    try:
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == torch.bfloat16):
            parts = [flow.bits_per_dim(batch.to(device), noise, estimator) for batch in images.split(batch_size)]
    finally:
        flow.train(training)
    return torch.cat(parts).cpu().double().numpy()


def mean_bits_per_dim(flow: Flow, images: Tensor, batch_size: int, seed: int, precision: torch.dtype) -> float:
    """Returns the mean of `bits_per_dim_of` over the images, summed in float64."""
    return float(bits_per_dim_of(flow, images, batch_size, seed, precision).mean())
