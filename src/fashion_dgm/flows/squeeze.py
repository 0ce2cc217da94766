"""Space to depth."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.bijection import Bijection, zero_log_det

__all__ = ["Squeeze"]


class Squeeze(Bijection):
    """Makes four channels of every 2x2 block: `(N, C, H, W)` to `(N, 4C, H/2, W/2)`, a permutation of the values.

    Dinh et al., 2017, section 3.6. Channel `4c + 2i + j` holds the pixels at row `i` and column `j` of the blocks of
    channel `c`.

    Raises:
        FashionDGMError: if a height or width is odd.
    """

    def forward(self, x: Tensor, probes: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Takes `(N, C, H, W)` to `(N, 4C, H/2, W/2)`; the log-determinant is 0."""
        height, width = x.shape[2:]
        if height % 2 or width % 2:
            raise FashionDGMError(f"a squeeze needs even height and width, not {height}x{width}")
        return F.pixel_unshuffle(x, 2), zero_log_det(x)

    def inverse(self, y: Tensor) -> Tensor:
        """Takes `(N, 4C, H/2, W/2)` to `(N, C, H, W)`."""
        return F.pixel_shuffle(y, 2)
