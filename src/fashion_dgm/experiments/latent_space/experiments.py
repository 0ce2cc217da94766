"""Images that a flow decodes from unusual latents.

Each function yields `DecodedSamples`, one for each kind of latents, in the order in which they are to be shown.
"""

# Derived in docs/theory/likelihood-ood.md.

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashion_dgm.config import LatentSpaceConfig
from fashion_dgm.experiments.latent_space.latents import (
    PATHS,
    interpolate,
    relative_norm,
    scale_sizes,
    sparse_latents,
    truncated_latents,
)
from fashion_dgm.experiments.likelihood.decomposition import decompose
from fashion_dgm.flows.bijection import Bijection
from fashion_dgm.flows.preprocessing import dequantize, quantize
from fashion_dgm.training.seeds import generator

__all__ = [
    "DecodedSamples",
    "LatentDecoder",
    "interpolations",
    "off_typical",
    "ood_latents",
    "real_directions",
    "temperatures",
]

Images = NDArray[np.uint8]


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
        noise = torch.Generator().manual_seed(self.seed)
        parts = [
            self.flow(dequantize(batch.to(reference.device), noise, reference.dtype))[0].cpu()
            for batch in torch.from_numpy(images).split(self.batch_size)
        ]
        return torch.cat(parts)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> NDArray[np.uint8]:
        """Returns the 8-bit images `(N, 1, H, W)` of latents `(N, D)`: each pixel's grey level, `floor(256 x)`."""
        device = next(self.flow.parameters()).device
        parts = [self.flow.inverse(batch.to(device)).cpu() for batch in latents.split(self.batch_size)]
        # NaN is shown as black; its likelihood is computed all the same.
        return quantize(torch.cat(parts).nan_to_num(0)).numpy()

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


def temperatures(decoder: LatentDecoder, config: LatentSpaceConfig) -> Iterator[DecodedSamples]:
    """Scales the same draws of the prior by each temperature."""
    latents = _draws(decoder, config, "temperature")
    for temperature in config.temperatures:
        yield decoder.decode_and_score("temperature", f"T = {temperature:g}", temperature * latents, temperature)


def off_typical(decoder: LatentDecoder, config: LatentSpaceConfig) -> Iterator[DecodedSamples]:
    """Leaves the typical set without any image to start from: truncated, constant, sparse, one scale at 0."""
    sizes = scale_sizes(decoder.flow)
    dimensions = sum(sizes)
    for limit in config.truncations:
        source = generator(decoder.seed, "truncation", str(limit))
        latents = truncated_latents(config.images, dimensions, limit, source)
        yield decoder.decode_and_score("truncation", f"cut at ±{limit:g}", latents, limit)
    for value in config.constants:
        yield decoder.decode_and_score("constant", f"all {value:g}", torch.full((1, dimensions), value), value)
    for active in config.active:
        count = min(active, dimensions)
        latents = sparse_latents(config.images, dimensions, count, generator(decoder.seed, "active", active))
        yield decoder.decode_and_score("active", f"{count} active", latents, count)
    drawn = _draws(decoder, config, "scales")
    for scale, silent in enumerate(_exchanged(drawn, 0 * drawn, sizes), start=1):
        yield decoder.decode_and_score("silent", f"scale {scale} at zero", silent, scale)


def real_directions(
    decoder: LatentDecoder, in_distribution: Images, config: LatentSpaceConfig
) -> Iterator[DecodedSamples]:
    """Starts from the latents of in-distribution images `(N, 1, H, W)`: other radii, and scales that change hands."""
    sizes = scale_sizes(decoder.flow)
    hosts = in_distribution[: config.images]
    encoded = decoder.encode(hosts)
    directions = math.sqrt(sum(sizes)) * encoded / encoded.norm(dim=1, keepdim=True)
    for radius in config.radii:
        yield decoder.decode_and_score("radius", f"radius {radius:g}", radius * directions, radius)
    # The latents of one scale go round by one place: each image keeps its own in all scales but this.
    for scale, swapped in enumerate(_exchanged(encoded, encoded.roll(1, 0), sizes), start=1):
        sample = decoder.decode_and_score("swap", f"scale {scale} of another", swapped, scale)
        yield replace(sample, host=hosts, donor=np.roll(hosts, 1, axis=0))


def interpolations(
    decoder: LatentDecoder, in_distribution: Images, config: LatentSpaceConfig
) -> Iterator[DecodedSamples]:
    """Goes from each image to another, in latent space in a straight line and along the sphere, and pixel by pixel.

    Arguments:
        in_distribution: in-distribution images, `(2 N, 1, H, W)`: the first half are starts, the second are ends.
        config: how many pairs at most, and how many steps.
    """
    pairs = min(config.images, len(in_distribution) // 2)
    starts, ends = in_distribution[:pairs], in_distribution[pairs : 2 * pairs]
    z_start, z_end = decoder.encode(starts), decoder.encode(ends)
    for t in np.linspace(0, 1, config.steps):
        blend = np.rint((1 - t) * starts.astype(np.float64) + t * ends).astype(np.uint8)
        yield decoder.score("path_pixels", f"t = {t:.3g}", blend, level=float(t))
        for path in PATHS:
            latents = interpolate(z_start, z_end, float(t), path)
            yield decoder.decode_and_score(f"path_{path}", f"t = {t:.3g}", latents, float(t))


def ood_latents(
    decoder: LatentDecoder, in_distribution: Images, ood: Images, config: LatentSpaceConfig
) -> Iterator[DecodedSamples]:
    """Encodes OOD images, decodes them again, mixes their latents with those of in-distribution images, and adds noise.

    Arguments:
        ood: OOD images, of which as many are used as there are in-distribution ones.
        config: how many images at most, and the fractions of noise.
    """
    count = min(config.images, len(in_distribution), len(ood))
    in_distribution, ood = in_distribution[:count], ood[:count]
    ours, theirs = decoder.encode(in_distribution), decoder.encode(ood)
    yield decoder.score("in_distribution", "as it is", in_distribution)
    yield decoder.score("ood", "as it is", ood)
    yield replace(decoder.decode_and_score("ood", "encoded and decoded", theirs), host=ood)
    for scale, mixed in enumerate(_exchanged(ours, theirs, scale_sizes(decoder.flow)), start=1):
        sample = decoder.decode_and_score("mixture", f"scale {scale} of the OOD image", mixed, scale)
        yield replace(sample, host=in_distribution, donor=ood)
    noise = torch.randn(theirs.shape, generator=generator(decoder.seed, "noise"))
    for fraction in config.noise:
        latents = math.sqrt(1 - fraction**2) * theirs + fraction * noise
        yield decoder.decode_and_score("noise", f"s = {fraction:g}", latents, fraction)


def _exchanged(latents: Tensor, others: Tensor, sizes: tuple[int, ...]) -> Iterator[Tensor]:
    """Yields latents `(N, D)` with those of one scale from `others`, scale by scale."""
    ends = np.cumsum(sizes)
    for start, end in zip(ends - sizes, ends, strict=True):
        mixed = latents.clone()
        mixed[:, start:end] = others[:, start:end]
        yield mixed


def _draws(decoder: LatentDecoder, config: LatentSpaceConfig, purpose: str) -> Tensor:
    dimensions = sum(scale_sizes(decoder.flow))
    return torch.randn(config.images, dimensions, generator=generator(decoder.seed, purpose))
