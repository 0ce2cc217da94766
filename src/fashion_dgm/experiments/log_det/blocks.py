"""Residual branches of known Lipschitz bound at one input: random ones, and the layers of a trained flow at real images."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from fashion_dgm.config.analyses import BlockKind
from fashion_dgm.flows.lipschitz import LipschitzLayer
from fashion_dgm.flows.log_det import batch_jacobian
from fashion_dgm.flows.preprocessing import dequantize
from fashion_dgm.flows.residual_flow import ResidualFlow
from fashion_dgm.training.seeds import generator

__all__ = ["Block", "linearised", "operator_norm", "random_block", "trained_blocks", "widest"]

CHANNELS = 8


@dataclass(frozen=True, eq=False)
class Block:
    """A residual branch at one input.

    Arguments:
        name: of this block, unique within a study.
        kind: what it is compared with.
        lipschitz: upper bound of its Lipschitz constant.
        g: the branch, from `(N, ...)` to the same shape.
        x: the input, `(1, ...)`, float64.
    """

    name: str
    kind: str
    lipschitz: float
    g: Callable[[Tensor], Tensor]
    x: Tensor

    @property
    def dimension(self) -> int:
        """Numbers in the input."""
        return self.x.numel()


def random_block(kind: BlockKind, dimension: int, lipschitz: float, seed: int) -> Block:
    """Makes a branch `g = W_2 tanh(W_1 x)` with `|W_2| |W_1| = lipschitz` in spectral norm, and a standard normal input.

    - `dense`: two random matrices. Their singular vectors don't meet, so the norm of the Jacobian stays below the bound.
    - `convolutional`: two random 3x3 convolutions with zero padding, by 8 channels.
    - `contracting`: `-lipschitz Q^T tanh(Q x)` with Q orthogonal and a small input, so that all eigenvalues lie near
      `-lipschitz`: the case that bounds are made for.

    Arguments:
        dimension: D, a square.
        lipschitz: in (0, 1).
    """
    # The same weights whatever the constant, so that blocks differ in nothing else.
    draw = generator(seed, "block", kind, dimension)
    normal: dict[str, Any] = {"generator": draw, "dtype": torch.float64}
    side = math.isqrt(dimension)
    scale = 1.0
    if kind == "convolutional":
        shape: tuple[int, ...] = (1, side, side)
        first = _convolution(torch.randn(CHANNELS, 1, 3, 3, **normal))
        second = _convolution(torch.randn(1, CHANNELS, 3, 3, **normal))
        middle: tuple[int, ...] = (CHANNELS, side, side)
    else:
        shape = middle = (dimension,)
        matrix = torch.randn(dimension, dimension, **normal)
        if kind == "contracting":
            matrix, scale = torch.linalg.qr(matrix).Q, -1.0
            first, second = _matrix(matrix), _matrix(matrix.T)
        else:
            first, second = _matrix(matrix), _matrix(torch.randn(dimension, dimension, **normal))
    scale *= lipschitz
    norms = operator_norm(first, shape), operator_norm(second, middle)

    def g(x: Tensor) -> Tensor:
        return scale * second(torch.tanh(first(x) / norms[0])) / norms[1]

    x = torch.randn(1, *shape, **normal) * (0.5 if kind == "contracting" else 1.0)
    return Block(f"{kind}, D = {dimension}, L = {lipschitz:g}", kind, lipschitz, g, x)


def operator_norm(linear: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> float:
    """Returns the spectral norm of a linear map on inputs of `shape`, from its whole matrix."""
    basis = torch.eye(math.prod(shape), dtype=torch.float64).view(-1, *shape)
    return float(torch.linalg.matrix_norm(linear(basis).flatten(1), 2))


def linearised(block: Block, jacobian: Tensor) -> Block:
    """Returns the block with `g` replaced by its linear part at `x`: the same Jacobian there, at the price of a product.

    Every estimator sees only `v^T J^k v`, so its distribution is the same.

    Arguments:
        jacobian: of `g` at `x`, `(D, D)`.
    """
    return Block(block.name, block.kind, block.lipschitz, lambda x: x @ jacobian.T, block.x.flatten(1))


def trained_blocks(flow: ResidualFlow, images: Tensor, seed: int, device: torch.device) -> list[Block]:
    """Returns the linear part of each residual layer at each image, by `linearised`, in float64 on the CPU.

    Arguments:
        flow: its parameters become float64.
        images: uint8, `(N, 1, 28, 28)`.
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


def _matrix(weight: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda x: x @ weight.T


def _convolution(weight: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda x: nn.functional.conv2d(x, weight, padding=1)


def _lipschitz(g: nn.Module, coefficient: float) -> float:
    """The product of the layers' bounds; the activations between them have none above 1."""
    return coefficient ** sum(isinstance(module, LipschitzLayer) for module in g.modules())


@torch.no_grad()
def _inputs_of(flow: ResidualFlow, pixels: Tensor) -> list[Tensor]:
    found: dict[nn.Module, Tensor] = {}
    hooks = [
        layer.register_forward_pre_hook(lambda layer, given: found.update({layer: given[0]})) for layer in flow.blocks
    ]
    flow(pixels)
    for hook in hooks:
        hook.remove()
    return [found[layer] for layer in flow.blocks]
