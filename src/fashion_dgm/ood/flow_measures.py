"""What a flow says of images, from which scores are made."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashion_dgm.flows.flow import Flow
from fashion_dgm.flows.preprocessing import dequantize, to_bits_per_dim
from fashion_dgm.training.seeds import generator

__all__ = ["measure_flow"]


def measure_flow(
    flow: Flow, images: Tensor, batch_size: int, seed: int, gradient: bool = False
) -> dict[str, NDArray[np.float64]]:
    """Measures images under a flow, in evaluation mode and float32, batch by batch.

    The noise of dequantisation is drawn on the CPU in the order of the images, so nothing depends on the batch size (but the
    log-determinant of a flow that estimates it).

    Arguments:
        flow: on any device.
        images: uint8 `(N, C, H, W)`.
        batch_size: images at once.
        seed: of the noise.
        gradient: whether to measure `gradient_norm`, which takes about three times as long.

    Returns:
        Of each image: `bits_per_dim`; in nats `log_prior` (of the latents) and `log_det`; `latents` `(N, C H W)`; and
        `gradient_norm`, the Euclidean norm of the gradient of log p with respect to the image in `[0, 1]`.
    """
    device = next(flow.parameters()).device
    noise = torch.Generator().manual_seed(seed)
    probes = generator(seed, "probes", 0)
    was_training = flow.training
    flow.eval()
    try:
        parts = [
            _measure(flow, dequantize(batch, noise).to(device), probes, gradient) for batch in images.split(batch_size)
        ]
    finally:
        flow.train(was_training)
    return {
        name: torch.cat([part[name] for part in parts])
        .cpu()
        .double()
        .numpy()
        .astype(np.float32 if name == "latents" else np.float64)
        for name in parts[0]
    }


def _measure(flow: Flow, x: Tensor, probes: torch.Generator, gradient: bool) -> dict[str, Tensor]:
    with torch.set_grad_enabled(gradient):
        x.requires_grad_(gradient)
        z, log_det = flow(x, probes)
        log_prior = flow.base.log_prob(z)
        log_prob = log_det + log_prior
        found = {
            "bits_per_dim": to_bits_per_dim(log_prob.detach(), flow.dimensions),
            "log_prior": log_prior.detach(),
            "log_det": log_det.detach(),
            "latents": z.detach(),
        }
        if gradient:
            # log p of an image depends on no other image, so the gradient of the sum holds that of each.
            (slope,) = torch.autograd.grad(log_prob.sum(), x)
            found["gradient_norm"] = slope.flatten(1).norm(dim=1)
    return found
