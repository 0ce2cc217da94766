"""From the unit interval to the real line."""

# Derived in docs/theory/change-of-variables.md.

from __future__ import annotations

import math

import torch
from torch import Tensor

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.bijection import Bijection

__all__ = ["Logit"]


class Logit(Bijection):
    r"""The logit of an image shrunk into the open interval: `y = logit(p)`, with `p = alpha + (1 - 2 alpha) x`.

    `log |dy/dx| = log(1 - 2 alpha) - log(p) - log(1 - p)` for each value. Dinh et al., 2017, section 4.1, with `1 - 2
    alpha` in the place of their `1 - alpha`, so that black and white are treated alike and 1 stays finite.

    The map is onto `[logit(alpha), logit(1 - alpha)]` only. What mass the latent density has beyond is lost, so the
    likelihood that a flow reports is a lower bound of its normalised one; with alpha at 1e-6 the ends lie at -13.8 and
    13.8. The log-determinant belongs in the likelihood, and figures of different alpha are comparable only with it.

    Arguments:
        alpha: distance kept from 0 and 1, in `(0, 0.5)`.

    Raises:
        FashionDGMError: if alpha lies outside.
    """

    def __init__(self, alpha: float) -> None:
        super().__init__()
        if not 0 < alpha < 0.5:
            raise FashionDGMError(f"alpha of the logit must lie in (0, 0.5), not be {alpha}")
        self.alpha = alpha

    def forward(self, x: Tensor, probes: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Takes `(N, ...)` in `[0, 1]` to the same shape; values outside give NaN."""
        span = 1 - 2 * self.alpha
        # 1 - p would keep one digit of 1 - x near white, where p rounds; this form is as exact as that near black.
        log_p = torch.log(self.alpha + span * x)
        log_q = torch.log(self.alpha + span * (1 - x))
        contribution = (math.log(span) - log_p - log_q).to(torch.promote_types(x.dtype, torch.float32))
        return log_p - log_q, contribution.flatten(1).sum(1)

    def inverse(self, y: Tensor) -> Tensor:
        """Takes `(N, ...)` to the same shape in `[0, 1]`; latents beyond the image of the map go to its nearer end."""
        return ((torch.sigmoid(y) - self.alpha) / (1 - 2 * self.alpha)).clamp(0, 1)

    def extra_repr(self) -> str:
        """Shows alpha."""
        return f"alpha={self.alpha}"
