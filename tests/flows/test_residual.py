import math

import pytest
import torch
from torch import Tensor, nn

from fashion_dgm.flows import (
    ExactLogDet,
    InverseError,
    InvertibleResidual,
    LipschitzConv2d,
    LipSwish,
    SeriesLogDet,
    Truncation,
)
from fashion_dgm.flows.log_det import LogDetEstimate

SHAPE = (2, 4, 3)


def network(coefficient: float) -> nn.Sequential:
    torch.manual_seed(0)
    first, second = LipschitzConv2d(2, 5, 3, (4, 3), coefficient), LipschitzConv2d(5, 2, 3, (4, 3), coefficient)
    with torch.no_grad():
        # Up to the bound.
        first.weight.mul_(20)
        second.weight.mul_(20)
    return nn.Sequential(first, LipSwish(), second)


def block(coefficient: float = 0.98, estimate: LogDetEstimate | None = None, **kwargs: float) -> InvertibleResidual:
    estimate = estimate or SeriesLogDet(Truncation(3))
    return InvertibleResidual(network(coefficient), estimate, estimate, **kwargs)


@pytest.fixture
def x() -> Tensor:
    return 5 * torch.randn(6, *SHAPE, generator=torch.Generator().manual_seed(0))


def test_the_inverse_is_as_good_as_its_tolerance_up_to_rounding(x):
    """A step of size `t` at a rate `k` of contraction leaves at most `t k / (1 - k)` in the Euclidean norm (Banach).

    docs/theory/log-det-estimation.md#residual-layers-are-invertible
    """
    counts = []
    for tolerance in (1e-1, 1e-2, 1e-3, 1e-5, 1e-30):
        residual = block(tolerance=tolerance)
        with torch.no_grad():
            y, _ = residual(x)
        error = (residual.inverse(y) - x).flatten(1).norm(dim=1)
        step = tolerance * (1 + x.abs()).flatten(1).norm(dim=1)
        assert (error <= step * 0.98**2 / (1 - 0.98**2) + 1e-4 * x.flatten(1).norm(dim=1)).all()
        counts.append(residual.iterations)
    assert counts[0] > 1 and counts[:4] == sorted(set(counts[:4]))


def test_an_inverse_that_does_not_converge_is_an_error(x):
    with pytest.raises(InverseError, match=r"step 2 still changed.*raise inverse_iterations"):
        block(max_iterations=2).inverse(x)
    with pytest.raises(InverseError, match=r"step 1 .*nan"):
        block().inverse(x * math.nan)
    expanding = InvertibleResidual(nn.Linear(3, 3), ExactLogDet(), ExactLogDet(), max_iterations=100)
    nn.init.constant_(expanding.g.weight, 2)
    with pytest.raises(InverseError, match="norms were not updated"):
        expanding.inverse(torch.ones(1, 3))


def test_either_mode_has_its_estimate(x):
    residual = InvertibleResidual(network(0.5), SeriesLogDet(Truncation(1)), ExactLogDet()).double()
    exact = residual.eval()(x.double())[1]
    assert not torch.allclose(residual.train()(x.double(), torch.Generator().manual_seed(0))[1], exact)
    assert torch.equal(residual.eval()(x.double())[1], exact)


def test_an_estimate_can_be_differentiated_in_evaluation(x):
    x = x.requires_grad_()
    residual = block().eval()
    (gradient,) = torch.autograd.grad(residual(x, torch.Generator().manual_seed(0))[1].sum(), x)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0
