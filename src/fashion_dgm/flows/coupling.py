"""Affine coupling."""

# Derived in docs/theory/change-of-variables.md.

from __future__ import annotations

import torch
from torch import Tensor, nn

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.bijection import Bijection
from fashion_dgm.flows.conditioner import ResidualConditioner
from fashion_dgm.flows.partition import Partition

__all__ = ["AffineCoupling"]


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
