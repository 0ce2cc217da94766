"""Rearrangements of an image: space to depth, and the halves that a coupling layer reads and changes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.bijection import Bijection, zero_log_det

__all__ = ["ChannelHalves", "Checkerboard", "Partition", "Squeeze"]


@dataclass(frozen=True)
class Partition(ABC):
    """A fixed permutation of the values of an image that leaves two halves of one shape.

    Arguments:
        parity: 0 to read the first half, 1 to read the second.

    Raises:
        FashionDGMError: if parity is neither 0 nor 1.
    """

    parity: int

    def __post_init__(self) -> None:
        if self.parity not in (0, 1):
            raise FashionDGMError(f"the parity of a partition is 0 or 1, not {self.parity}")

    @abstractmethod
    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Cuts `x` in `a`, which a coupling reads, and `b`, which it changes."""

    @abstractmethod
    def merge(self, a: Tensor, b: Tensor) -> Tensor:
        """Puts the halves back in their places: `merge(*split(x))` is `x`, bit for bit."""


class Checkerboard(Partition):
    """The two colours of a checkerboard, each packed densely at half the resolution; the first is that of pixel (0, 0).

    Every 2x2 block holds two pixels of each colour. Space-to-depth makes channels of the four, so the split is one of
    channels: `(N, C, H, W)` to two halves `(N, 2C, H/2, W/2)`. A coupling network then convolves over a quarter of
    the positions and never over the zeros of the masked form, for the same family of bijections.

    Dinh et al., 2017, figure 3 (left).

    Raises:
        FashionDGMError: from `split`, if a height or width is odd.
    """

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Takes `(N, C, H, W)` with even H and W to two halves `(N, 2C, H/2, W/2)`."""
        channels, height, width = x.shape[1:]
        if height % 2 or width % 2:
            raise FashionDGMError(
                f"a checkerboard needs even height and width, not {height}x{width}; use ChannelHalves at odd sizes"
            )
        blocks = F.pixel_unshuffle(x, 2).unflatten(1, (channels, 4))
        top_left, top_right, bottom_left, bottom_right = blocks.unbind(2)
        dark = torch.cat((top_left, bottom_right), dim=1)
        light = torch.cat((top_right, bottom_left), dim=1)
        return (light, dark) if self.parity else (dark, light)

    def merge(self, a: Tensor, b: Tensor) -> Tensor:
        """Takes two halves `(N, 2C, H/2, W/2)` to `(N, C, H, W)`."""
        dark, light = (b, a) if self.parity else (a, b)
        top_left, bottom_right = dark.chunk(2, dim=1)
        top_right, bottom_left = light.chunk(2, dim=1)
        blocks = torch.stack((top_left, top_right, bottom_left, bottom_right), dim=2)
        return F.pixel_shuffle(blocks.flatten(1, 2), 2)


class ChannelHalves(Partition):
    """The first and the second half of the channels: `(N, C, H, W)` to two halves `(N, C/2, H, W)`.

    Dinh et al., 2017, figure 3 (right).

    Raises:
        FashionDGMError: from `split`, if the number of channels is odd.
    """

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Takes `(N, C, H, W)` with even C to two halves `(N, C/2, H, W)`."""
        if x.shape[1] % 2:
            raise FashionDGMError(
                f"channel halves need an even number of channels, not {x.shape[1]}; squeeze the image first"
            )
        first, second = x.chunk(2, dim=1)
        return (second, first) if self.parity else (first, second)

    def merge(self, a: Tensor, b: Tensor) -> Tensor:
        """Takes two halves `(N, C/2, H, W)` to `(N, C, H, W)`."""
        return torch.cat((b, a) if self.parity else (a, b), dim=1)


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
