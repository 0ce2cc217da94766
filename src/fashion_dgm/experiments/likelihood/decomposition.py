"""Bits per dimension, term by term."""

# Explained in docs/reading-the-numbers.md and docs/theory/likelihood-ood.md.

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.experiments.likelihood.trace import Trace, log_normal, trace
from fashion_dgm.flows.bijection import Bijection, evaluating
from fashion_dgm.flows.preprocessing import LEVELS, dequantize
from fashion_dgm.training.seeds import generator

__all__ = ["BITS_OF_UNIFORM", "Decomposition", "decompose"]

BITS_OF_UNIFORM = math.log2(LEVELS)

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Decomposition:
    """The bits per dimension of N images, by term.

    Arguments:
        kinds: of each of the L layers.
        scales: of each layer, from 1; 0 before the scales.
        layers: bits/dim that each layer's log-determinant costs (negative: saves), `(L, N)`.
        latents: bits/dim that the latents of each scale cost under the prior, `(S, N)`.
        stops: bits/dim, had the flow ended after each layer and the prior been laid on the values there, `(L, N)`.
        norms: `|z| / sqrt(D_s)` of the latents of each scale, `(S, N)`; near 1 on the typical set.
        neighbours: correlation of adjacent latents, each seen at the pixel it started from, `(N,)`; about 0 for noise.
        sizes: the number of latents `D_s` of each scale.
    """

    kinds: tuple[str, ...]
    scales: tuple[int, ...]
    layers: Array
    latents: Array
    stops: Array
    norms: Array
    neighbours: Array
    sizes: tuple[int, ...]

    @property
    def bits_per_dim(self) -> Array:
        """The bits/dim of each image, `(N,)`: 8, what the layers cost, and what the latents cost."""
        return BITS_OF_UNIFORM + self.layers.sum(0) + self.latents.sum(0)

    @property
    def norm(self) -> Array:
        """`|z| / sqrt(D)` of all latents together, `(N,)`."""
        sizes = np.array(self.sizes)
        return np.sqrt((sizes[:, None] * self.norms**2).sum(0) / sizes.sum())

    @property
    def parts(self) -> dict[str, Array]:
        """The terms by kind and scale, `(N,)` each; with 8, they add up to `bits_per_dim`.

        `logit` and `actnorm` stand for all such layers; `coupling_1` for the couplings of scale 1; `latents_1` for the
        latents that leave after it. Layers that never change volume, such as squeezes, are left out.
        """
        parts: dict[str, Array] = {}
        for kind, scale, bits in zip(self.kinds, self.scales, self.layers, strict=True):
            if kind != "squeeze":
                name = kind if kind in ("logit", "actnorm") else f"{kind}_{max(scale, 1)}"
                parts[name] = parts.get(name, 0) + bits
        return parts | {f"latents_{index + 1}": bits for index, bits in enumerate(self.latents)}


@torch.no_grad()
def decompose(
    flow: Bijection, images: Tensor, batch_size: int, seed: int, precision: torch.dtype = torch.float32
) -> Decomposition:
    """Decomposes the bits per dimension of each image, batch by batch, in evaluation mode.

    The noise of dequantisation and the probes are those of `bits_per_dim_of` with the same seed; so are the bits, with the
    same batch size where the log-determinant is estimated.

    Arguments:
        flow: the model, on any device; it is left in the mode it was in.
        images: uint8 in 0..255, `(N, C, H, W)`, on any device.
        precision: float32, or bfloat16 for the networks in the couplings.

    Raises:
        FashionDGMError: if there are no images, the batch size is below 1, or images are not uint8.
    """
    if len(images) == 0 or batch_size < 1:
        raise FashionDGMError(
            f"a likelihood needs at least one image and a batch size of at least 1, not {len(images)} and {batch_size}"
        )
    reference = next(flow.parameters())
    noise, probes = torch.Generator().manual_seed(seed), generator(seed, "probes", 0)
    with evaluating(flow), torch.autocast(reference.device.type, torch.bfloat16, enabled=precision == torch.bfloat16):
        batches = [
            _decompose(trace(flow, dequantize(batch.to(reference.device), noise, reference.dtype), probes))
            for batch in images.split(batch_size)
        ]
    first = batches[0]
    names = ("layers", "latents", "stops", "norms", "neighbours")
    joined = {name: np.concatenate([getattr(batch, name) for batch in batches], axis=-1) for name in names}
    return Decomposition(first.kinds, first.scales, sizes=first.sizes, **joined)


def _decompose(traced: Trace) -> Decomposition:
    sizes = tuple(z.shape[1] for z in traced.latents)
    per_bit = sum(sizes) * math.log(2)

    def rows(values: list[Tensor]) -> Array:
        return torch.stack(values).double().cpu().numpy()

    layers = rows([layer.log_det for layer in traced.layers]) / -per_bit
    priors = rows([log_normal(layer.picture.double()) for layer in traced.layers]) / -per_bit
    return Decomposition(
        kinds=tuple(layer.kind for layer in traced.layers),
        scales=tuple(layer.scale for layer in traced.layers),
        layers=layers,
        latents=rows([log_normal(z.double()) for z in traced.latents]) / -per_bit,
        stops=BITS_OF_UNIFORM + layers.cumsum(0) + priors,
        norms=rows([z.double().square().mean(1).sqrt() for z in traced.latents]),
        neighbours=_neighbour_correlation(traced.layers[-1].picture.double()).cpu().numpy(),
        sizes=sizes,
    )


def _neighbour_correlation(pictures: Tensor) -> Tensor:
    """Returns the correlation of horizontal and vertical neighbours within each picture `(N, C, H, W)`, `(N,)`."""
    centred = pictures - pictures.mean((1, 2, 3), keepdim=True)
    across = (centred[..., 1:] * centred[..., :-1]).flatten(1)
    down = (centred[..., 1:, :] * centred[..., :-1, :]).flatten(1)
    variance = centred.square().flatten(1).mean(1)
    return torch.cat((across, down), dim=1).mean(1) / variance.clamp_min(torch.finfo(variance.dtype).tiny)
