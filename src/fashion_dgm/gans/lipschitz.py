"""Lipschitz constraints on the weights of a critic.

References:
    Arjovsky, Chintala and Bottou, Wasserstein GAN (2017), algorithm 1: clipping.
    Miyato et al., Spectral normalization for generative adversarial networks (2018), algorithm 1.
"""

# Derived in docs/theory/wasserstein.md.

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

__all__ = ["SpectralNorm", "clip_weights", "normalise_spectrally"]

# To start near the largest singular value; from then on, weights change little between two steps.
_FIRST_ITERATIONS = 15


@torch.no_grad()
def clip_weights(critic: nn.Module, bound: float) -> Tensor:
    """Clamps every parameter of `critic` to `[-bound, bound]` in place and returns the fraction that lies at the bound.

    BatchNorm's gains and biases are parameters too and are clamped with the rest, as in the authors' code.
    """
    parameters: list[Tensor] = list(critic.parameters())
    torch._foreach_clamp_min_(parameters, -bound)
    torch._foreach_clamp_max_(parameters, bound)
    at_bound = torch.stack([(parameter.abs() == bound).sum() for parameter in parameters]).sum()
    return at_bound / sum(parameter.numel() for parameter in parameters)


class SpectralNorm(nn.Module):
    """Divides a weight `(O, I, ...)` by the largest singular value of the matrix `(O, I * ...)`, by power iteration.

    For a linear layer that is its Lipschitz constant, which becomes 1. For a convolution with k x k kernels and stride s,
    whose windows overlap, the constant is at most `ceil(k / s)`: 2 where this project's kernels of 4 move by 2, and 4
    where they move by 1.

    torch's own parametrization multiplies matrices in whatever precision autocast is in; a singular value that is wrong
    by a rounding of bfloat16 bounds nothing, so this one works in float32.

    Arguments:
        weight: to start from.
        iterations: at each use in training; in evaluation the last estimate is kept.
    """

    u: Tensor
    v: Tensor

    def __init__(self, weight: Tensor, iterations: int) -> None:
        super().__init__()
        matrix = weight.detach().flatten(1)
        self.iterations = iterations
        self.register_buffer("u", F.normalize(torch.randn_like(matrix[:, 0]), dim=0))
        self.register_buffer("v", F.normalize(torch.randn_like(matrix[0]), dim=0))
        self._iterate(matrix, _FIRST_ITERATIONS)

    def forward(self, weight: Tensor) -> Tensor:
        """Returns the divided weight, of the same shape."""
        with torch.autocast(weight.device.type, enabled=False):
            matrix = weight.flatten(1)
            if self.training:
                self._iterate(matrix.detach(), self.iterations)
            # Copies, for the next pass of the same step changes both in place.
            return weight / (self.u.clone() @ (matrix @ self.v.clone()))

    @torch.no_grad()
    def _iterate(self, matrix: Tensor, times: int) -> None:
        for _ in range(times):
            F.normalize(matrix.T @ self.u, dim=0, out=self.v)
            F.normalize(matrix @ self.v, dim=0, out=self.u)


def normalise_spectrally(network: nn.Module, iterations: int) -> None:
    """Puts a `SpectralNorm` on the weight of every convolution and linear layer of `network`."""
    for layer in list(network.modules()):
        if isinstance(layer, nn.Conv2d | nn.Linear):
            parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.weight, iterations))
