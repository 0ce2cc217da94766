"""Mixtures of logistic distributions, as monotone maps of the real line onto itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["LogisticMixture"]


# Between two narrow components the CDF is flat, and what lies there could not be told apart again: float32 would lose it.
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
