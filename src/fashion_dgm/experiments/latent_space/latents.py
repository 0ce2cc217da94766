"""Latents that a flow's prior would hardly draw, and paths between latents.

A draw of `N(0, I)` in `D` dimensions has a norm of about `sqrt(D)`, within a few per cent. Latents here are flat, `(N, D)`,
those of the first scale in front, as `MultiScale` lays them out.
"""

import math
from typing import Literal

import torch
from torch import Tensor

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.bijection import Bijection, MultiScale

__all__ = ["PATHS", "interpolate", "relative_norm", "scale_sizes", "sparse_latents", "truncated_latents"]


Path = Literal["linear", "spherical"]

PATHS: tuple[Path, ...] = ("linear", "spherical")


def relative_norm(z: Tensor) -> Tensor:
    """Returns `|z| / sqrt(D)` of latents `(N, D)`, `(N,)`: near 1 for draws of the prior."""
    return z.square().mean(1).sqrt()


def truncated_latents(n: int, dimensions: int, limit: float, generator: torch.Generator) -> Tensor:
    """Draws from the standard normal cut to `[-limit, limit]` in every coordinate, `(n, dimensions)`.

    By the inverse of the distribution function, so it is exact and takes one draw a value. Brock et al., 2019, "Large scale
    GAN training for high fidelity natural image synthesis", section 3.1: the truncation trick.

    Raises:
        FashionDGMError: if limit is not above 0.
    """
    if not limit > 0:
        raise FashionDGMError(f"latents are truncated at a limit above 0, not at {limit}")
    low = torch.special.ndtr(torch.tensor(-limit, dtype=torch.float64))
    uniform = torch.rand(n, dimensions, generator=generator, dtype=torch.float64)
    z = torch.special.ndtri(low + (1 - 2 * low) * uniform)
    return z.clamp(-limit, limit).float()


def sparse_latents(n: int, dimensions: int, active: int, generator: torch.Generator) -> Tensor:
    """Draws latents `(n, dimensions)` of norm `sqrt(dimensions)` of which only `active` coordinates are not 0.

    Which ones is random. They lie on the sphere on which the prior's draws lie, and are as likely as those; only their
    shape is wrong.

    Raises:
        FashionDGMError: if active is not in `1..dimensions`.
    """
    if not 1 <= active <= dimensions:
        raise FashionDGMError(f"between 1 and {dimensions} coordinates can be active, not {active}")
    chosen = torch.rand(n, dimensions, generator=generator).argsort(1)[:, :active]
    values = torch.randn(n, active, generator=generator)
    values *= math.sqrt(dimensions) / values.norm(dim=1, keepdim=True)
    return torch.zeros(n, dimensions).scatter_(1, chosen, values)


def interpolate(start: Tensor, end: Tensor, t: float, path: Path) -> Tensor:
    """Returns the point at `t` between latents, `(N, D)`.

    `linear` is `(1 - t) start + t end`; between independent draws its norm dips to `1 / sqrt(2)` of theirs in the middle.
    `spherical` turns from one direction to the other at constant speed (Shoemake, 1985) while the norm goes linearly
    from one to the other, so between points of a sphere it stays on it.

    Arguments:
        start: latents at `t = 0`, `(N, D)`.
        end: latents at `t = 1`, `(N, D)`.
        t: in `[0, 1]`.

    Raises:
        FashionDGMError: on the spherical path, if a norm is 0 or directions are opposite.
    """
    if path == "linear":
        return (1 - t) * start + t * end
    norms = start.norm(dim=1, keepdim=True), end.norm(dim=1, keepdim=True)
    if min(norms[0].min(), norms[1].min()) == 0:
        raise FashionDGMError("a latent at the origin has no direction to turn from; interpolate linearly")
    a, b = start / norms[0], end / norms[1]
    angle = torch.acos((a * b).sum(1, keepdim=True).clamp(-1, 1))
    if (math.pi - angle).min() < 1e-4:
        raise FashionDGMError("there are many shortest ways between opposite directions; interpolate linearly")
    # For equal directions sin(angle) is 0, and the way between them is straight.
    straight = angle < 1e-4
    sine = torch.where(straight, torch.ones_like(angle), angle.sin())
    weights = (
        torch.where(straight, torch.full_like(angle, 1 - t), ((1 - t) * angle).sin() / sine),
        torch.where(straight, torch.full_like(angle, t), (t * angle).sin() / sine),
    )
    return ((1 - t) * norms[0] + t * norms[1]) * (weights[0] * a + weights[1] * b)


def scale_sizes(flow: Bijection) -> tuple[int, ...]:
    """Returns how many latents each scale of a flow hands over, in their order.

    Raises:
        FashionDGMError: if the flow has no scales.
    """
    scales = next((module for module in flow.modules() if isinstance(module, MultiScale)), None)
    if scales is None:
        raise FashionDGMError(f"{type(flow).__name__} has no scales whose latents could be distinguished")
    *factored, last = (math.prod(shape) for shape in scales.shapes)
    return (*(size // 2 for size in factored), last)
