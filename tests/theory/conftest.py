"""What several of the theory's tests need."""

from collections.abc import Callable, Iterable

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor


def minimise(loss: Callable[[], Tensor], parameters: Iterable[Tensor]) -> None:
    """Takes `parameters` to a minimum of `loss`, to rounding."""
    optimizer = torch.optim.LBFGS(
        parameters, max_iter=300, tolerance_grad=1e-12, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)


def jensen_shannon(p: Tensor, g: Tensor) -> Tensor:
    """The divergence of two rows of probabilities."""
    m = (p + g) / 2
    return 0.5 * sum(torch.xlogy(part, part) - torch.xlogy(part, m) for part in (p, g)).sum()


def wasserstein_distance(first: Tensor, second: Tensor) -> float:
    """Of two clouds of as many points, `(N, D)` each, by the best assignment."""
    # By differences: the default, a matrix product, loses half of the digits near 0.
    cost = torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist").numpy()
    return float(cost[linear_sum_assignment(cost)].mean())
