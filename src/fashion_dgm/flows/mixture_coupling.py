"""Coupling by mixtures of logistics."""

# Derived in docs/theory/change-of-variables.md.

from __future__ import annotations

import torch
from torch import Tensor, nn

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.bijection import Bijection
from fashion_dgm.flows.conditioner import ResidualConditioner
from fashion_dgm.flows.logistic_mixture import LogisticMixture
from fashion_dgm.flows.partition import Partition

__all__ = ["MixtureCoupling"]


class MixtureCoupling(Bijection):
    """Keeps the half `a` of the image and maps the other by `b -> m(b) * exp(s(a)) + t(a)`.

    `m` is the map of a `LogisticMixture` whose weights, means and scales are functions of `a`, too. The Jacobian is
    triangular as in affine coupling; what is gained is a map with bends, for a pixel that may be black or bright.

    Ho et al., 2019, "Flow++", section 3.2.

    Arguments:
        partition: which half is read and which is changed.
        conditioner: network from `a` to shift, raw log-scale, and weights, means and log-scales of the components.
        components: components of each mixture.

    Raises:
        FashionDGMError: if the conditioner's channels don't divide so.
    """

    # No component gets steeper than float32 can invert.
    LARGEST_LOG_SCALE = 5.0

    def __init__(self, partition: Partition, conditioner: ResidualConditioner, components: int) -> None:
        super().__init__()
        parts = self.parts(components)
        if components < 1 or conditioner.out_channels % parts:
            raise FashionDGMError(
                f"a coupling by {components} logistics needs a multiple of {parts} channels from its conditioner, not "
                f"{conditioner.out_channels}"
            )
        self.partition, self.conditioner, self.components = partition, conditioner, components
        channels = conditioner.out_channels // parts
        self.scale = nn.Parameter(torch.ones(channels, 1, 1))
        # The conditioner returns zeros at first: were all components alike, they would get the same gradient for ever.
        spread = torch.linspace(-1, 1, components) if components > 1 else torch.zeros(1)
        self.mean = nn.Parameter(spread[:, None, None, None].repeat(1, channels, 1, 1))

    @staticmethod
    def parts(components: int) -> int:
        """Returns how many channels the conditioner gives for each one that is changed."""
        return 2 + 3 * components

    def forward(self, x: Tensor, probes: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Takes `(N, C, H, W)` to the same shape; the log-determinant is the sum of log-slopes."""
        a, b = self.partition.split(x)
        shift, log_scale, mixture = self._conditioned(a)
        value, log_slope = mixture.forward(b)
        return self.partition.merge(a, value * log_scale.exp() + shift), (log_slope + log_scale).flatten(1).sum(1)

    def inverse(self, y: Tensor) -> Tensor:
        """Takes `(N, C, H, W)` to the same shape, by root finding."""
        a, b = self.partition.split(y)
        shift, log_scale, mixture = self._conditioned(a)
        return self.partition.merge(a, mixture.inverse((b - shift) * (-log_scale).exp()))

    def extra_repr(self) -> str:
        """Shows the partition, which is no module."""
        return f"partition={self.partition}, components={self.components}"

    def _conditioned(self, a: Tensor) -> tuple[Tensor, Tensor, LogisticMixture]:
        # Float32 at least, as in affine coupling: the likelihood is that of a flow whose network rounds.
        output = self.conditioner(a).to(torch.promote_types(a.dtype, torch.float32))
        shift, raw, *rest = output.unflatten(1, (self.parts(self.components), -1)).split(
            (1, 1, self.components, self.components, self.components), dim=1
        )
        weights, means, scales = rest
        bound = self.LARGEST_LOG_SCALE
        mixture = LogisticMixture(weights.log_softmax(1), self.mean + means, bound * torch.tanh(scales / bound))
        return shift.squeeze(1), self.scale * torch.tanh(raw.squeeze(1)), mixture
