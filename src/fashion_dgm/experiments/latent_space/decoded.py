"""Images decoded from latents, with their likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashion_dgm.experiments.latent_space.latents import relative_norm
from fashion_dgm.experiments.likelihood.decomposition import decompose
from fashion_dgm.flows.bijection import Bijection
from fashion_dgm.flows.preprocessing import LEVELS, dequantize

__all__ = ["DecodedSamples", "LatentDecoder"]


@dataclass(frozen=True, eq=False)
class DecodedSamples:
    """Images decoded from latents of one kind, with their likelihood.

    Arguments:
        experiment: what was asked, such as `temperature`.
        variant: the kind of latents, such as `T = 0.5`.
        images: uint8, `(N, 1, H, W)`.
        bits_per_dim: of the 8-bit images, as for any image of a data set, `(N,)`.
        norm: `|z| / sqrt(D)` of the latents that were decoded, `(N,)`.
        norm_again: the same of the latents that the flow gives the 8-bit images, `(N,)`. Near black and white, rounding to 8
            bits and new noise move them.
        level: the strength of the variant where it has one, as a number.
        host: the images whose latents were changed, of the shape of `images`, where there are any.
        donor: the images whose latents were put in, likewise.
    """

    experiment: str
    variant: str
    images: NDArray[np.uint8]
    bits_per_dim: NDArray[np.float64]
    norm: NDArray[np.float64]
    norm_again: NDArray[np.float64]
    level: float | None = None
    host: NDArray[np.uint8] | None = None
    donor: NDArray[np.uint8] | None = None


@dataclass(frozen=True, eq=False)
class LatentDecoder:
    """Encodes, decodes and scores images with a flow.

    Arguments:
        flow: in evaluation mode, on any device.
        batch_size: images at once.
        seed: of the dequantisation noise.
    """

    flow: Bijection
    batch_size: int
    seed: int

    @torch.no_grad()
    def encode(self, images: NDArray[np.uint8]) -> Tensor:
        """Returns the latents `(N, D)` of 8-bit images `(N, 1, H, W)`, on the CPU."""
        reference = next(self.flow.parameters())
        generator = torch.Generator().manual_seed(self.seed)
        parts = [
            self.flow(dequantize(batch.to(reference.device), generator, reference.dtype))[0].cpu()
            for batch in torch.from_numpy(images).split(self.batch_size)
        ]
        return torch.cat(parts)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> NDArray[np.uint8]:
        """Returns the 8-bit images `(N, 1, H, W)` of latents `(N, D)`: each pixel's grey level, `floor(256 x)`."""
        device = next(self.flow.parameters()).device
        parts = [self.flow.inverse(batch.to(device)).cpu() for batch in latents.split(self.batch_size)]
        # NaN is shown as black; its likelihood is computed all the same.
        levels = torch.cat(parts).nan_to_num(0).mul(LEVELS).floor().clamp(0, LEVELS - 1)
        return levels.to(torch.uint8).numpy()

    def decode_and_score(
        self, experiment: str, variant: str, latents: Tensor, level: float | None = None
    ) -> DecodedSamples:
        """Decodes latents `(N, D)` and scores the images."""
        return self.score(experiment, variant, self.decode(latents), relative_norm(latents), level)

    def score(
        self,
        experiment: str,
        variant: str,
        images: NDArray[np.uint8],
        norm: Tensor | None = None,
        level: float | None = None,
    ) -> DecodedSamples:
        """Scores 8-bit images `(N, 1, H, W)`; their own latents give the norm where none is given."""
        found = decompose(self.flow, torch.from_numpy(images), self.batch_size, self.seed)
        norms = found.norm if norm is None else norm.double().numpy()
        return DecodedSamples(experiment, variant, images, found.bits_per_dim, norms, found.norm, level)
