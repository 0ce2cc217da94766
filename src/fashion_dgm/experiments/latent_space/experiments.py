"""What a flow makes of latents that its prior would hardly draw.

Each function returns `Shots`, one for each kind of latents, in the order in which they are to be shown.
"""

# Derived in docs/theory/likelihood-ood.md.

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashion_dgm.config import LatentSpaceConfig
from fashion_dgm.experiments.latent_space.latents import (
    PATHS,
    interpolate,
    scale_sizes,
    sparse_latents,
    truncated_latents,
)
from fashion_dgm.experiments.latent_space.probe import Probe, Shots
from fashion_dgm.training.seeds import generator

__all__ = ["interpolations", "off_typical", "real_directions", "strangers", "temperatures"]

Images = NDArray[np.uint8]


def temperatures(probe: Probe, config: LatentSpaceConfig) -> list[Shots]:
    """Scales the same draws of the prior by each temperature."""
    latents = _draws(probe, config, "temperature")
    return [
        probe.shoot("temperature", f"T = {temperature:g}", temperature * latents, temperature)
        for temperature in config.temperatures
    ]


def off_typical(probe: Probe, config: LatentSpaceConfig) -> list[Shots]:
    """Leaves the typical set without any image to start from: truncated, constant, sparse, one scale at 0."""
    sizes = scale_sizes(probe.flow)
    dimensions = sum(sizes)
    shots = []
    for limit in config.truncations:
        source = generator(probe.seed, "truncation", str(limit))
        latents = truncated_latents(config.images, dimensions, limit, source)
        shots.append(probe.shoot("truncation", f"cut at ±{limit:g}", latents, limit))
    shots += [
        probe.shoot("constant", f"all {value:g}", torch.full((1, dimensions), value), value)
        for value in config.constants
    ]
    for active in config.active:
        count = min(active, dimensions)
        latents = sparse_latents(config.images, dimensions, count, generator(probe.seed, "active", active))
        shots.append(probe.shoot("active", f"{count} active", latents, count))
    drawn = _draws(probe, config, "scales").split(sizes, dim=1)
    for index in range(len(sizes)):
        silent = torch.cat([0 * part if i == index else part for i, part in enumerate(drawn)], dim=1)
        shots.append(probe.shoot("silent", f"scale {index + 1} at zero", silent, index + 1))
    return shots


def real_directions(probe: Probe, familiar: Images, config: LatentSpaceConfig) -> list[Shots]:
    """Starts from the latents of in-distribution images `(N, 1, H, W)`: other radii, and scales that change hands."""
    sizes = scale_sizes(probe.flow)
    encoded = probe.encode(familiar[: config.images])
    directions = math.sqrt(sum(sizes)) * encoded / encoded.norm(dim=1, keepdim=True)
    shots = [probe.shoot("radius", f"radius {radius:g}", radius * directions, radius) for radius in config.radii]
    parts = encoded.split(sizes, dim=1)
    for index in range(len(sizes)):
        # The latents of one scale go round by one place: each image keeps its own in all scales but this.
        swapped = torch.cat([part.roll(1, 0) if i == index else part for i, part in enumerate(parts)], dim=1)
        shot = probe.shoot("swap", f"scale {index + 1} of another", swapped, index + 1)
        hosts = familiar[: config.images]
        shots.append(replace(shot, host=hosts, donor=np.roll(hosts, 1, axis=0)))
    return shots


def interpolations(probe: Probe, familiar: Images, config: LatentSpaceConfig) -> list[Shots]:
    """Goes from each image to another, in latent space in a straight line and along the sphere, and pixel by pixel.

    Arguments:
        probe: the flow.
        familiar: in-distribution images, `(2 N, 1, H, W)`: the first half are starts, the second are ends.
        config: how many pairs at most, and how many steps.
    """
    pairs = min(config.images, len(familiar) // 2)
    starts, ends = familiar[:pairs], familiar[pairs : 2 * pairs]
    z_start, z_end = probe.encode(starts), probe.encode(ends)
    shots = []
    for t in np.linspace(0, 1, config.steps):
        blend = np.rint((1 - t) * starts.astype(np.float64) + t * ends).astype(np.uint8)
        shots.append(probe.score("path_pixels", f"t = {t:.3g}", blend, level=float(t)))
        for path in PATHS:
            latents = interpolate(z_start, z_end, float(t), path)
            shots.append(probe.shoot(f"path_{path}", f"t = {t:.3g}", latents, float(t)))
    return shots


def strangers(probe: Probe, familiar: Images, foreign: Images, config: LatentSpaceConfig) -> list[Shots]:
    """Encodes foreign images, decodes them again, mixes their latents with familiar ones, and disturbs them.

    Arguments:
        probe: the flow.
        familiar: in-distribution images.
        foreign: other images, of which as many are used as there are familiar ones.
        config: how many images at most, and the shares of noise.
    """
    count = min(config.images, len(familiar), len(foreign))
    familiar, foreign = familiar[:count], foreign[:count]
    ours, theirs = probe.encode(familiar), probe.encode(foreign)
    sizes = scale_sizes(probe.flow)
    shots = [
        probe.score("familiar", "as it is", familiar),
        probe.score("stranger", "as it is", foreign),
        replace(probe.shoot("stranger", "encoded and decoded", theirs), host=foreign),
    ]
    for index in range(len(sizes)):
        pieces = [
            a if i == index else b
            for i, (a, b) in enumerate(zip(theirs.split(sizes, 1), ours.split(sizes, 1), strict=True))
        ]
        shot = probe.shoot("mixture", f"scale {index + 1} of the OOD image", torch.cat(pieces, dim=1), index + 1)
        shots.append(replace(shot, host=familiar, donor=foreign))
    noise = torch.randn(theirs.shape, generator=generator(probe.seed, "noise"))
    for share in config.noise:
        latents = math.sqrt(1 - share**2) * theirs + share * noise
        shots.append(probe.shoot("noise", f"s = {share:g}", latents, share))
    return shots


def _draws(probe: Probe, config: LatentSpaceConfig, purpose: str) -> Tensor:
    dimensions = sum(scale_sizes(probe.flow))
    return torch.randn(config.images, dimensions, generator=generator(probe.seed, purpose))
