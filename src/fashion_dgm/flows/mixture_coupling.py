"""Coupling by mixtures of logistics, which are monotone maps of the real line onto itself."""

# Derived in docs/theory/change-of-variables.md.

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.bijection import Bijection
from fashion_dgm.flows.coupling import ResidualConditioner
from fashion_dgm.flows.partition import Partition

__all__ = ["LogisticMixture", "MixtureCoupling"]


# Between two narrow components the CDF is flat, and what lies there could not be distinguished again: float32 would lose it.
SMALLEST_SLOPE = 0.05
LOOK_EVERY = 4


@dataclass(frozen=True)
class LogisticMixture:
    """A mixture for each value of an image, and the map `x -> logit(CDF(x)) + 0.05 x` that it defines.

    A single component makes the map affine. Several let it be steep in some places and flat in others, so that it can
    take apart what has several modes.

    Ho et al., 2019, "Flow++", section 3.2, but for the linear term, which keeps the slope above 0.05.

    Arguments:
        log_weights: logarithms of the weights, which add up to 1 over the components, `(N, K, ...)`.
        means: `(N, K, ...)`.
        log_scales: `(N, K, ...)`.
    """

    log_weights: Tensor
    means: Tensor
    log_scales: Tensor

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the value and the logarithm of the slope at x, both of its shape, `(N, ...)`.

        Both tails are summed by their logarithms, so that nothing is rounded to 0 or 1 far from the means.
        """
        z = (x.unsqueeze(1) - self.means) * (-self.log_scales).exp()
        log_lower, log_upper = F.logsigmoid(z), F.logsigmoid(-z)
        log_cdf = torch.logsumexp(self.log_weights + log_lower, dim=1)
        log_survival = torch.logsumexp(self.log_weights + log_upper, dim=1)
        log_density = torch.logsumexp(self.log_weights - self.log_scales + log_lower + log_upper, dim=1)
        log_slope = log_density - log_cdf - log_survival
        floor = torch.full_like(log_slope, math.log(SMALLEST_SLOPE))
        return log_cdf - log_survival + SMALLEST_SLOPE * x, torch.logaddexp(log_slope, floor)

    @torch.no_grad()
    def inverse(self, y: Tensor, iterations: int = 60) -> Tensor:
        """Returns the x that `forward` takes to y, by Newton's method kept within a bracket, `(N, ...)`.

        At every x, the value lies between those of the components on their own; so the root lies between theirs. Where a
        Newton step leaves the bracket or is more than half of the step before it, the bracket's middle is taken.

        Press et al., 2007, "Numerical recipes", section 9.4 (`rtsafe`).
        """
        steepness = (-self.log_scales).exp()
        alone = (y.unsqueeze(1) + self.means * steepness) / (steepness + SMALLEST_SLOPE)
        low, high = alone.amin(dim=1), alone.amax(dim=1)
        x, last = (low + high) / 2, high - low
        eps = 4 * torch.finfo(y.dtype).eps
        for iteration in range(iterations):
            value, log_slope = self.forward(x)
            low, high = torch.where(value < y, x, low), torch.where(value < y, high, x)
            step = (value - y) * (-log_slope).exp()
            done = step.abs() <= eps * (1 + x.abs())
            newton = x - step
            fast = (newton >= low) & (newton <= high) & (2 * step.abs() <= last)
            following = torch.where(done, x, torch.where(fast, newton, (low + high) / 2))
            x, last = following, (following - x).abs()
            # A dozen iterations mostly do. To look makes the host wait for the device.
            if iteration % LOOK_EVERY == LOOK_EVERY - 1 and bool((done | (high - low <= eps * (1 + x.abs()))).all()):
                break
        return x


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
