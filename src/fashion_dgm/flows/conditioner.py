"""The network inside a coupling layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["ResidualConditioner"]


class ResidualConditioner(nn.Module):
    """A residual convolutional network that returns zero until it is trained, so that a new coupling is the identity.

    Pre-activation blocks as in He et al., 2016, "Identity mappings in deep residual networks", figure 4e. The zero
    output layer is Glow's (Kingma and Dhariwal, 2018, section 3.3).

    Arguments:
        in_channels: channels of the half that is read.
        hidden_channels: channels of every layer between.
        out_channels: channels returned: shift and raw log-scale, so twice those of the half that is changed.
        residual_blocks: blocks of two 3x3 convolutions, 0 or more.
        size: height and width of the half. If given, a bias for each place is learned: a convolution alone does not know
            where it is, and what a pixel may be depends on where it lies.
    """

    # No BatchNorm, unlike Dinh et al.: its statistics tie the images of a batch together, while log p(x) must be a
    # function of one image, the same in training and evaluation. ActNorm before each coupling keeps the input in scale.

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        residual_blocks: int,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.out_channels = out_channels
        self.position = None if size is None else nn.Parameter(torch.zeros(hidden_channels, *size))
        self.input = _convolution(in_channels, hidden_channels)
        self.blocks = nn.ModuleList(_ResidualBlock(hidden_channels) for _ in range(residual_blocks))
        self.output = _convolution(hidden_channels, out_channels)
        nn.init.zeros_(self.output.weight)
        if self.output.bias is not None:
            nn.init.zeros_(self.output.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Takes `(N, in_channels, H, W)` to `(N, out_channels, H, W)`."""
        hidden = self.input(x)
        if self.position is not None:
            hidden = hidden + self.position
        for block in self.blocks:
            hidden = block(hidden)
        return self.output(F.relu(hidden))


class _ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels)
        self.second = _convolution(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.relu(self.first(F.relu(x))))


def _convolution(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1)
