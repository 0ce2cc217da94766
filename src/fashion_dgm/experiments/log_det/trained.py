"""The residual layers of a trained flow, at real images."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from fashion_dgm.experiments.log_det.blocks import Block, linearised
from fashion_dgm.flows.lipschitz import LipschitzConv2d, LipschitzLinear
from fashion_dgm.flows.log_det import batch_jacobian
from fashion_dgm.flows.preprocessing import dequantize
from fashion_dgm.flows.residual_flow import InvertibleResidual, ResidualFlow
from fashion_dgm.training.seeds import generator

__all__ = ["trained_blocks", "widest"]


def trained_blocks(flow: ResidualFlow, images: Tensor, seed: int, device: torch.device) -> list[Block]:
    """Returns the linear part of each residual layer at each image, by `linearised`, in float64 on the CPU.

    Arguments:
        flow: its parameters become float64.
        images: uint8, `(N, 1, 28, 28)`.
        seed: of the dequantisation.
        device: where Jacobians are computed; the CPU instead of one that knows no float64.
    """
    if device.type == "mps":
        device = torch.device("cpu")
    flow = flow.to(device).double().eval().requires_grad_(False)
    blocks = []
    for number, image in enumerate(images.split(1), start=1):
        pixels = dequantize(image, generator(seed, "dequantize", number), torch.float64).to(device)
        for position, (layer, x) in enumerate(zip(flow.blocks, _inputs_of(flow, pixels), strict=True), start=1):
            bound = _lipschitz(layer.g, flow.config.lipschitz_coefficient)
            block = Block(f"layer {position}, image {number}", "trained", bound, layer.g, x.cpu())
            blocks.append(linearised(block, batch_jacobian(layer.g, x)[1][0].cpu()))
    return blocks


def widest(blocks: list[Block]) -> Block:
    """Returns the block whose Jacobian has the largest spectral norm: the hardest for the series."""
    return max(blocks, key=lambda block: float(torch.linalg.matrix_norm(batch_jacobian(block.g, block.x)[1][0], 2)))


def _lipschitz(g: nn.Module, coefficient: float) -> float:
    """The product of the layers' bounds; the activations between them have none above 1."""
    return coefficient ** sum(isinstance(module, LipschitzConv2d | LipschitzLinear) for module in g.modules())


@torch.no_grad()
def _inputs_of(flow: ResidualFlow, pixels: Tensor) -> list[Tensor]:
    found: dict[InvertibleResidual, Tensor] = {}

    def keep(layer: Any, given: Any) -> None:
        found[layer] = given[0]

    hooks = [layer.register_forward_pre_hook(keep) for layer in flow.blocks]
    try:
        flow(pixels)
    finally:
        for hook in hooks:
            hook.remove()
    return [found[layer] for layer in flow.blocks]
