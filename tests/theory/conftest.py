"""Losses of the theory's tests are minimised to rounding."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor


def minimise(loss: Callable[[], Tensor], parameters: Iterable[Tensor]) -> None:
    """Takes `parameters` to a minimum of `loss`."""
    optimizer = torch.optim.LBFGS(
        parameters, max_iter=300, tolerance_grad=1e-12, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)
