"""What scores are made of: an image's coded length, its distance to training images, and what a flow measures of it."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import imagecodecs
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from fashion_dgm.data.images import to_unit_interval
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.bijection import evaluating
from fashion_dgm.flows.flow import Flow
from fashion_dgm.flows.preprocessing import dequantize, to_bits_per_dim
from fashion_dgm.training.seeds import generator

__all__ = ["CODERS", "Neighbours", "coded_bits_per_dim", "edges", "measure_flow", "pixels"]

# The coders let go of Python's lock; more threads than this gain nothing on images as small as ours.
THREADS = min(4, os.cpu_count() or 1)

_SOBEL = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])

CODERS: Mapping[str, Callable[[NDArray[np.uint8]], bytes | bytearray]] = {
    "png": lambda image: imagecodecs.png_encode(image, level=9),
    "jpeg_ls": lambda image: imagecodecs.jpegls_encode(image, level=0),
    "jpeg_xl": lambda image: imagecodecs.jpegxl_encode(image, lossless=True, effort=3, numthreads=1),
}
"""Lossless codes of an image, uint8 `(H, W)`."""


def coded_bits_per_dim(images: NDArray[np.uint8], coders: Sequence[str]) -> NDArray[np.float64]:
    """Returns the bits a pixel that the shortest of several codes of an image takes, headers included.

    A general coder of images has no model of clothes, so its length measures how complex an image is; the ensemble's
    minimum bounds the complexity more tightly than any one. Serrà et al., 2020, "Input complexity and out-of-distribution
    detection with likelihood-based generative models", section 4.

    Arguments:
        images: uint8 `(N, 1, H, W)`.
        coders: keys of `CODERS`.

    Returns:
        float64, `(N,)`.

    Raises:
        FashionDGMError: if there is no coder, or one of an unknown name.
    """
    unknown = [name for name in coders if name not in CODERS]
    if unknown or not coders:
        raise FashionDGMError(f"coders must be some of {', '.join(CODERS)}, not {', '.join(unknown) or 'none'}")

    def shortest(image: NDArray[np.uint8]) -> int:
        return min(len(CODERS[name](image)) for name in coders)

    with ThreadPoolExecutor(THREADS) as pool:
        lengths = list(pool.map(shortest, np.ascontiguousarray(images[:, 0]), chunksize=64))
    return 8.0 * np.array(lengths, np.float64) / np.prod(images.shape[1:])


def pixels(images: Tensor) -> Tensor:
    """Returns the pixels themselves in `[0, 1]`, `(N, H W)`, of uint8 images `(N, 1, H, W)`."""
    return to_unit_interval(images).flatten(1)


def edges(images: Tensor) -> Tensor:
    """Returns where an image has edges of which direction, `(N, 4 * H/2 * W/2)`, of uint8 images `(N, 1, H, W)`.

    The gradient of the smoothed image, split by sign into four maps (brighter to the right, left, down, up), each blurred
    and halved in size: convolved orientation maps as in Tola et al., 2010, "DAISY", and the plain form of histograms of
    oriented gradients (Dalal and Triggs, 2005). Nothing in it is learned.
    """
    smooth = _blur(to_unit_interval(images), 1.0)
    kernels = torch.stack([_SOBEL, _SOBEL.T]).unsqueeze(1).to(smooth.device)
    gradient = F.conv2d(F.pad(smooth, (1, 1, 1, 1), mode="replicate"), kernels)  # N x 2 x H x W
    maps = torch.cat([gradient.clamp_min(0), (-gradient).clamp_min(0)], dim=1)  # N x 4 x H x W
    return _blur(maps, 1.5)[:, :, ::2, ::2].flatten(1)


def _blur(maps: Tensor, sigma: float) -> Tensor:
    """Convolves each map of `(N, C, H, W)` with a Gaussian of that standard deviation in pixels."""
    # As matrix products, since convolutions of one channel are slow on a CPU.
    rows, columns = (_gaussian(size, sigma).to(maps) for size in maps.shape[2:])
    return rows @ maps @ columns.T


def _gaussian(size: int, sigma: float) -> Tensor:
    """Returns the matrix that convolves `size` pixels with a Gaussian, the outermost pixels repeated beyond the ends."""
    radius = int(4 * sigma + 0.5)
    offsets = torch.arange(-radius, radius + 1)
    kernel = torch.softmax(-0.5 * (offsets / sigma) ** 2, dim=0)
    sources = (torch.arange(size).unsqueeze(1) + offsets).clamp(0, size - 1)
    return torch.zeros(size, size).scatter_add(1, sources, kernel.expand(size, -1))


class Neighbours:
    """The distance to the k-th nearest of some reference images, in a space of descriptors.

    Sun et al., 2022, "Out-of-distribution detection with deep nearest neighbors". With k = 2, an image that is itself among
    the references is not its own neighbour: copies of training images then look neither OOD nor too close.

    Arguments:
        describe: takes images, uint8 `(N, 1, H, W)`, to descriptors `(N, D)`.
        reference: training images, uint8 `(M, 1, H, W)`.
        k: which neighbour, counted from 1.

    Raises:
        FashionDGMError: if there are fewer than k references.
    """

    def __init__(
        self, describe: Callable[[Tensor], Tensor], reference: Tensor, k: int, device: torch.device, batch_size: int
    ) -> None:
        if len(reference) < k:
            raise FashionDGMError(f"neighbour {k} needs at least as many reference images, not {len(reference)}")
        self._describe, self._k, self._device, self._batch_size = describe, k, device, batch_size
        self._reference = torch.cat([self._descriptors(part) for part in reference.split(batch_size)])
        self._squares = self._reference.square().sum(1)

    @torch.no_grad()
    def distance(self, images: Tensor) -> NDArray[np.float64]:
        """Returns the distances `(N,)` of uint8 images `(N, 1, H, W)`."""
        parts = []
        for part in images.split(self._batch_size):
            descriptors = self._descriptors(part)
            # |x - r|^2 = |x|^2 + |r|^2 - 2 x.r: one matrix product in the place of N M differences.
            relative = torch.addmm(self._squares, descriptors, self._reference.T, alpha=-2)
            nearest = relative.topk(self._k, dim=1, largest=False).values[:, -1]
            parts.append((nearest + descriptors.square().sum(1)).clamp_min(0).sqrt().double().cpu())
        return torch.cat(parts).numpy()

    @torch.no_grad()
    def _descriptors(self, images: Tensor) -> Tensor:
        return self._describe(images.to(self._device)).float()


def measure_flow(
    flow: Flow, images: Tensor, batch_size: int, seed: int, gradient: bool = False
) -> dict[str, NDArray[np.floating]]:
    """Measures images under a flow, in evaluation mode and float32, batch by batch.

    The noise of dequantisation is drawn on the CPU in the order of the images, so nothing depends on the batch size (but the
    log-determinant of a flow that estimates it).

    Arguments:
        images: uint8 `(N, C, H, W)`.
        gradient: whether to measure `gradient_norm`, which takes about three times as long.

    Returns:
        Of each image: `bits_per_dim`; in nats `log_prior` (of the latents) and `log_det`; `latents` `(N, C H W)`, float32;
        and `gradient_norm`, the Euclidean norm of the gradient of log p with respect to the image in `[0, 1]`.
    """
    device = next(flow.parameters()).device
    noise = torch.Generator().manual_seed(seed)
    probes = generator(seed, "probes", 0)
    with evaluating(flow):
        parts = [
            _measure(flow, dequantize(batch, noise).to(device), probes, gradient) for batch in images.split(batch_size)
        ]
    found = {name: torch.cat([part[name] for part in parts]).cpu() for name in parts[0]}
    return {name: (each if name == "latents" else each.double()).numpy() for name, each in found.items()}


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
