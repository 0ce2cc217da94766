r"""Convolutions with 4x4 kernels as matrix products, with fewer multiplications where a map is small.

Convolutions are seven eighths of an adversarial step on a CPU. A library computes them directly: for each pair of an
output pixel and a kernel's weight one product of the matrices (batch x inputs) and (inputs x outputs). Three of the four
layers of the assignment's networks can do better:

- **Maps of one pixel or one channel** are one matrix product of the kernel with all patches, which `unfold` and `fold`
  lay out; a convolution kernel finds no work for its blocks of channels there.
- **Between 7x7 and 4x4 pixels** there are 16 output pixels x 16 weights = 256 products. As 7 = 4 + 4 - 1, a *circular*
  correlation of size 7 agrees with the layer at all 16 pixels, and the discrete Fourier transform makes it one complex
  product a frequency. For real maps frequency `-f` is the conjugate of `f`, so that 1 real and 24 complex products are
  left of the 49, and Gauss's trick does a complex product with three real ones: `1 + 24 * 3 = 73` instead of 256.

With the frequencies' real parts, imaginary parts and their sums as rows, all of it is linear in each argument:

    y = C [(A x) * (B w)],    A: 73 x 49,  B: 73 x 16,  C: 16 x 73,

where `*` is one matrix product over the channels for each of the 73 rows. The transposed convolution is the adjoint in
`x`, `x = A^T [(C^T y) * (B w)]`. Autograd differentiates these products as often as a gradient penalty needs it.

References:
    Winograd, Arithmetic complexity of computations (1980), chapter 5: bilinear algorithms and their transposition.
    Mathieu, Henaff and LeCun, Fast training of convolutional networks through FFTs (2014).
"""

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

__all__ = ["Conv2d", "ConvTranspose2d", "multiply_matrices"]

KERNEL, LARGE, SMALL = 4, 7, 4


class Conv2d(nn.Conv2d):
    """A convolution with 4x4 kernels that can be computed by matrix products: see the module's description."""

    pixels_first = (2, 3, 1, 0)
    by_products = False

    def forward(self, x: Tensor) -> Tensor:
        """Returns `(N, O, H', W')` of `(N, I, H, W)`, as `torch.nn.Conv2d` does but for rounding."""
        if not self.by_products:
            return super().forward(x)
        if _is_small(self, x, LARGE):
            y = _correlate(x, self.weight.permute(self.pixels_first))
        elif _is_small(self, x, KERNEL):
            y = (_channels_last(x).flatten(1) @ _channels_last(self.weight).flatten(1).mT)[:, :, None, None]
        elif self.in_channels == 1 and _halves(self):
            patches = F.unfold(x, KERNEL, padding=1, stride=2)  # N x 16 x H'W'
            y = (patches.mT @ self.weight.flatten(1).mT).mT.unflatten(2, (x.shape[2] // 2, x.shape[3] // 2))
        else:
            return super().forward(x)
        y = y.contiguous(memory_format=torch.channels_last)
        return y if self.bias is None else y + self.bias[:, None, None]


class ConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution with 4x4 kernels that can be computed by matrix products: see the module's description."""

    pixels_first = (2, 3, 0, 1)
    by_products = False

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Returns `(N, O, H', W')` of `(N, I, H, W)`, as `torch.nn.ConvTranspose2d` does but for rounding."""
        if not self.by_products:
            return super().forward(x, output_size)
        if _is_small(self, x, SMALL):
            y = _correlate_transposed(x, self.weight.permute(self.pixels_first))
        elif _is_small(self, x, 1):
            y = x.flatten(1) @ _channels_last(self.weight).flatten(1)
            y = y.unflatten(1, (KERNEL, KERNEL, -1)).permute(0, 3, 1, 2)
        elif self.out_channels == 1 and _halves(self):
            patches = x.flatten(2).mT @ self.weight.flatten(1)  # N x HW x 16
            y = F.fold(patches.mT, (2 * x.shape[2], 2 * x.shape[3]), KERNEL, padding=1, stride=2)
        else:
            return super().forward(x, output_size)
        y = y.contiguous(memory_format=torch.channels_last)
        return y if self.bias is None else y + self.bias[:, None, None]


def multiply_matrices(network: nn.Module) -> None:
    """Makes the layers of `network` compute by matrix products; names and values of their weights stay.

    Before an optimizer takes the weights: those between 7x7 and 4x4 are laid out anew in memory, kernel pixels first, as
    their product takes them.
    """
    for layer in network.modules():
        if isinstance(layer, Conv2d | ConvTranspose2d):
            layer.by_products = True
            order = layer.pixels_first
            if layer.stride == (1, 1) and not is_parametrized(layer):
                layer.weight.data = layer.weight.data.permute(order).contiguous().permute(np.argsort(order).tolist())


def _is_small(layer: nn.Conv2d | nn.ConvTranspose2d, x: Tensor, pixels: int) -> bool:
    """Whether a kernel moves by 1, without padding, over (or into) a map of `pixels` x `pixels`."""
    return layer.stride == (1, 1) and layer.padding == (0, 0) and x.shape[2:] == (pixels, pixels)


def _halves(layer: nn.Conv2d | nn.ConvTranspose2d) -> bool:
    """Whether a convolution halves even sides, or a transposed one doubles them."""
    return layer.stride == (2, 2) and layer.padding == (1, 1)


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)


def _correlate(x: Tensor, kernels: Tensor) -> Tensor:
    """Returns `(N, O, 4, 4)`: the correlation of maps `(N, I, 7, 7)` with kernels `(4, 4, I, O)`."""
    of_map, of_kernel, of_output = _transforms(x.device)
    maps = _transform(of_map, x.permute(2, 3, 0, 1))  # 73 x N x I
    products = maps @ _transform(of_kernel, kernels)  # 73 x N x O
    return _transform(of_output, products).unflatten(0, (SMALL, SMALL)).permute(2, 3, 0, 1)


def _correlate_transposed(y: Tensor, kernels: Tensor) -> Tensor:
    """Returns `(N, O, 7, 7)`: the transposed correlation of maps `(N, I, 4, 4)` with kernels `(4, 4, I, O)`."""
    of_map, of_kernel, of_output = _transforms(y.device)
    maps = _transform(of_output.mT, y.permute(2, 3, 0, 1))  # 73 x N x I
    products = maps @ _transform(of_kernel, kernels)  # 73 x N x O
    return _transform(of_map.mT, products).unflatten(0, (LARGE, LARGE)).permute(2, 3, 0, 1)


def _transform(matrix: Tensor, values: Tensor) -> Tensor:
    """Returns `matrix @ values` over the leading dimension, or over the two leading ones, rows and columns of pixels."""
    values = values.flatten(0, -3)
    return (matrix.to(values.dtype) @ values.flatten(1)).unflatten(1, values.shape[1:])


@cache
def _transforms(device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the matrices A, B and C, float64 `(73, 49)`, `(73, 16)` and `(16, 73)`."""
    frequencies = np.array([(u, v) for u in range(LARGE) for v in range(LARGE)])
    # One of each pair of conjugates; the first, 0, is its own.
    frequencies = frequencies[[tuple(f) <= tuple(-f % LARGE) for f in frequencies]]
    phases = 2 * np.pi / LARGE * frequencies @ np.indices((LARGE, LARGE)).reshape(2, -1)  # 25 x 49
    corner = np.arange(LARGE * LARGE).reshape(LARGE, LARGE)[:KERNEL, :KERNEL].ravel()
    x, w = np.exp(-1j * phases), np.exp(1j * phases[:, corner])
    # With k = (Re X Re W, Im X Im W, (Re + Im) X (Re + Im) W): Re XW = k0 - k1, Im XW = k2 - k0 - k1.
    y = np.where(frequencies.any(1), 2, 1)[:, None] * np.exp(1j * phases[:, corner]) / LARGE**2
    real, imaginary = y.real, -y.imag
    rows = (
        np.stack([x.real, x.imag, x.real + x.imag], 1),
        np.stack([w.real, w.imag, w.real + w.imag], 1),
        np.stack([real - imaginary, -real - imaginary, imaginary], 1),
    )
    # The frequency 0 is real: the first of its three products is enough.
    of_map, of_kernel, of_output = (torch.from_numpy(np.delete(r.reshape(-1, r.shape[2]), [1, 2], 0)) for r in rows)
    return of_map.to(device), of_kernel.to(device), of_output.mT.contiguous().to(device)
