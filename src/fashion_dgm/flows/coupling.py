"""Affine coupling, and the network inside a coupling layer."""

# Derived in docs/theory/change-of-variables.md.

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.bijection import Bijection
from fashion_dgm.flows.partition import Partition

__all__ = ["AffineCoupling", "ResidualConditioner"]


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


class AffineCoupling(Bijection):
    """Keeps the half `a` of the image and scales and shifts the other: `b -> b * exp(s(a)) + t(a)`.

    The Jacobian is triangular, so `log |det| = sum s(a)`, whatever network computes `s` and `t`. As in Dinh et al.,
    2017, sections 3.2 and 4.1, `s` is a learned scale per channel times a tanh: it is bounded, so that no pixel can
    blow up the inverse.

    Under bfloat16 autocast only the network is computed in bfloat16. The map of `b` and its log-determinant stay in
    float32 and use the same `s`, so the likelihood is exact: that of a flow whose network rounds.

    Arguments:
        partition: which half is read and which is changed.
        conditioner: network from `a` to shift and raw log-scale, in this order along the channels.

    Raises:
        FashionDGMError: if the conditioner returns an odd number of channels.
    """

    def __init__(self, partition: Partition, conditioner: ResidualConditioner) -> None:
        super().__init__()
        if conditioner.out_channels % 2:
            raise FashionDGMError(
                f"a coupling needs a shift and a log-scale for every channel, so an even number of channels from its "
                f"conditioner, not {conditioner.out_channels}"
            )
        self.partition = partition
        self.conditioner = conditioner
        self.scale = nn.Parameter(torch.ones(conditioner.out_channels // 2, 1, 1))

    def forward(self, x: Tensor, probes: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Takes `(N, C, H, W)` to the same shape; the log-determinant is `sum s(a)`."""
        a, b = self.partition.split(x)
        shift, log_scale = self._shift_and_log_scale(a)
        return self.partition.merge(a, b * log_scale.exp() + shift), log_scale.flatten(1).sum(1)

    def inverse(self, y: Tensor) -> Tensor:
        """Takes `(N, C, H, W)` to the same shape by `b -> (b - t(a)) * exp(-s(a))`."""
        a, b = self.partition.split(y)
        shift, log_scale = self._shift_and_log_scale(a)
        return self.partition.merge(a, (b - shift) * (-log_scale).exp())

    def extra_repr(self) -> str:
        """Shows the partition, which is no module."""
        return f"partition={self.partition}"

    def _shift_and_log_scale(self, a: Tensor) -> tuple[Tensor, Tensor]:
        output = self.conditioner(a).to(torch.promote_types(a.dtype, torch.float32))
        shift, raw = output.chunk(2, dim=1)
        return shift, self.scale * torch.tanh(raw)
