"""Activation normalisation."""

from typing import Any, cast

import torch
from torch import Tensor, nn

from fashion_dgm.flows.bijection import Bijection, zero_log_det
from fashion_dgm.training.distributed.ranks import average

__all__ = ["ActNorm"]


class ActNorm(Bijection):
    """A learned scale and shift per channel, `y = (x + bias) * exp(log_scale)`, set at first by one batch's statistics.

    The first batch in training mode sets both so that each channel comes out with zero mean and unit variance; from
    then on they are ordinary parameters. Until then the layer is the identity. It takes the place of the
    batch-normalisation layers of Dinh et al., 2017, section 3.7, under which the likelihood of an image depends on its
    batch.

    Kingma and Dhariwal, 2018, "Glow", section 3.1.

    Arguments:
        channels: channels of the input.
    """

    # A channel that is constant over the first batch must not get an infinite scale.
    smallest_deviation = 1e-6

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))
        self.log_scale = nn.Parameter(torch.zeros(channels, 1, 1))
        self.register_buffer("initialized", torch.tensor(False))
        # To read the buffer is to wait for the device, at every layer of every step: hence a copy on this side.
        self._initialized = False
        self.register_load_state_dict_post_hook(_copy_flag)

    def forward(self, x: Tensor, probes: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Takes `(N, C, H, W)` to the same shape; the log-determinant is `H W sum log_scale` for every image."""
        if self.training and not self._initialized:
            self._initialize(x)
        height, width = x.shape[2:]
        return (x + self.bias) * self.log_scale.exp(), zero_log_det(x) + height * width * self.log_scale.sum()

    def inverse(self, y: Tensor) -> Tensor:
        """Takes `(N, C, H, W)` to the same shape."""
        return y * (-self.log_scale).exp() - self.bias

    @torch.no_grad()
    def _initialize(self, x: Tensor) -> None:
        own_variance, own_mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
        # Of the whole batch, where several ranks have a part of it each.
        mean = average(own_mean)
        variance = average(own_variance + (own_mean - mean).square())
        self.bias.copy_(-mean[:, None, None])
        self.log_scale.copy_(-variance.sqrt().clamp_min(self.smallest_deviation).log()[:, None, None])
        self.get_buffer("initialized").fill_(True)
        self._initialized = True


def _copy_flag(layer: nn.Module, _: Any) -> None:
    # A function rather than a method, so that a deep copy of the layer is not bound to the original.
    cast("ActNorm", layer)._initialized = bool(layer.get_buffer("initialized"))
