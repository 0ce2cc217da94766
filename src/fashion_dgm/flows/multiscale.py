"""Several scales as one bijection."""

# Derived in docs/theory/change-of-variables.md.

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.bijection import Bijection, zero_log_det

__all__ = ["MultiScale"]


class MultiScale(Bijection):
    """Scales one after the other, each handing half of its channels to the latents and half to the next.

    The latents are flat: `(N, C, H, W)` to `(N, C H W)`, the halves factored out from the first scale to the last
    but one, then all that the last scale returns. What leaves early passes fewer layers, and the couplings of later
    scales work on fewer values: cost and memory fall while the whole stays a bijection.

    Dinh et al., 2017, section 3.6.

    Arguments:
        scales: one bijection of images a scale.
        shapes: the shape `(C, H, W)` that each scale returns, before half of its channels are factored out.

    Raises:
        FashionDGMError: if there is no scale, shapes are not as many, or half of an odd number of channels were to go.
    """

    def __init__(self, scales: Sequence[Bijection], shapes: Sequence[tuple[int, int, int]]) -> None:
        super().__init__()
        if not scales or len(scales) != len(shapes):
            raise FashionDGMError(
                f"a multi-scale flow needs scales and a shape for each, not {len(scales)} and {len(shapes)}"
            )
        for index, (channels, _, _) in enumerate(shapes[:-1]):
            if channels % 2:
                raise FashionDGMError(f"scale {index + 1} can't factor out half of its {channels} channels")
        self.scales = nn.ModuleList(scales)
        self.shapes = tuple(shapes)

    def forward(self, x: Tensor, probes: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Takes `(N, C, H, W)` to latents `(N, C H W)`."""
        log_det = zero_log_det(x)
        latents = []
        for index, scale in enumerate(self.scales):
            x, contribution = scale(x, probes)
            log_det = log_det + contribution
            if index < len(self.scales) - 1:
                x, factored = x.chunk(2, dim=1)
                latents.append(factored.flatten(1))
        return torch.cat((*latents, x.flatten(1)), dim=1), log_det

    def inverse(self, y: Tensor) -> Tensor:
        """Takes latents `(N, C H W)` to `(N, C, H, W)`."""
        sizes = [math.prod(shape) // 2 for shape in self.shapes[:-1]] + [math.prod(self.shapes[-1])]
        *latents, last = y.split(sizes, dim=1)
        x = self._scale(-1).inverse(last.unflatten(1, self.shapes[-1]))
        for index in reversed(range(len(latents))):
            channels, height, width = self.shapes[index]
            factored = latents[index].unflatten(1, (channels // 2, height, width))
            x = self._scale(index).inverse(torch.cat((x, factored), dim=1))
        return x

    def _scale(self, index: int) -> Bijection:
        return cast("Bijection", self.scales[index])
