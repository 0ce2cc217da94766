from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import (
    Geometric,
    LipschitzConv2d,
    LipSwish,
    Roulette,
    draw_probes,
    exact_log_det,
    log_det_series,
    neumann_log_det,
)

SHAPE = (2, 3, 2)
SIZE = math.prod(SHAPE)
UPSTREAM = torch.tensor([1.0, -0.5, 2.0], dtype=torch.float64)


@pytest.fixture
def g() -> nn.Module:
    torch.manual_seed(0)
    # Contracts enough for a series of 60 terms to be exact in float64.
    layers = [LipschitzConv2d(2, 4, 3, (3, 2), 0.75), LipSwish(), LipschitzConv2d(4, 2, 3, (3, 2), 0.75)]
    return nn.Sequential(*layers).double()


@pytest.fixture
def x() -> Tensor:
    return torch.randn(3, *SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)


def basis(x: Tensor) -> Tensor:
    """Probes whose mean of `v v^T` is the identity, exactly: scaled unit vectors."""
    vectors = math.sqrt(SIZE) * torch.eye(SIZE, dtype=x.dtype).view(SIZE, 1, *SHAPE)
    return vectors.expand(SIZE, *x.shape)


def gradients(y: Tensor, log_det: Tensor, g: nn.Module, x: Tensor, with_y: bool = True) -> list[Tensor]:
    total = (UPSTREAM * log_det).sum() + (y.square().sum() if with_y else 0 * y.sum())
    return list(torch.autograd.grad(total, [x, *g.parameters()]))


@pytest.mark.parametrize("with_y", [True, False])
def test_a_long_series_over_a_basis_is_exact(g, x, with_y):
    exact = exact_log_det(g, x, create_graph=True)
    ours = neumann_log_det(g, x, basis(x), [1.0] * 60)
    torch.testing.assert_close(ours, exact)
    torch.testing.assert_close(gradients(*ours, g, x, with_y), gradients(*exact, g, x, with_y), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("terms", [1, 2, 3])
def test_a_short_series_has_the_gradient_of_one_term_more(g, x, terms):
    ours = neumann_log_det(g, x, basis(x), [1.0] * terms)
    value = log_det_series(g, x, basis(x), [1.0] * terms)
    torch.testing.assert_close(ours, value)
    longer = log_det_series(g, x, basis(x), [1.0] * (terms + 1), create_graph=True)
    torch.testing.assert_close(gradients(*ours, g, x), gradients(*longer, g, x), rtol=1e-9, atol=1e-12)


def test_value_is_that_of_the_series_for_any_probes_and_weights(g, x):
    probes, weights = draw_probes(x, 2), [1.0, 1.5, 4.0]
    torch.testing.assert_close(neumann_log_det(g, x, probes, weights), log_det_series(g, x, probes, weights))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rademacher", "gaussian"])
def test_gradient_is_unbiased(g, x, kind):
    """108 gradients at 5.2 standard errors each: one seed in 46,000 is a false alarm (union bound, normal tails)."""
    copies, batches, generator = 60, 150, torch.Generator().manual_seed(3)
    of = [g[0].weight, x]
    _, log_det = exact_log_det(g, x, create_graph=True)
    exact = torch.cat([part.flatten() for part in torch.autograd.grad((UPSTREAM * log_det).sum(), of)])
    roulette, samples = Roulette(1, Geometric(0.4)), []
    for _ in range(batches):
        many = x.repeat(copies, 1, 1, 1)
        _, log_det = neumann_log_det(g, many, draw_probes(many, 1, kind, generator), roulette.draw(generator))
        parts = torch.autograd.grad((UPSTREAM.repeat(copies) * log_det).sum() / copies, of)
        samples.append(torch.cat([part.flatten() for part in parts]))
    mean, error = torch.stack(samples).mean(0), torch.stack(samples).std(0) / math.sqrt(batches)
    assert ((mean - exact).abs() <= 5.2 * error).all()
    # It would notice a gradient that is off by a fifth.
    assert ((1.2 * mean - exact).abs() > 5.2 * error).any()


def test_what_is_kept_for_the_backward_pass_does_not_grow_with_the_terms(g, x):
    for terms in (1, 12):
        _, log_det = neumann_log_det(g, x, draw_probes(x, 1), [1.0] * terms)
        kept = sum(tensor.numel() for tensor in log_det.grad_fn.saved_tensors)
        assert kept == 3 * x.numel() + sum(parameter.numel() for parameter in g.parameters())
        assert log_det.grad_fn.g is g


def test_frozen_parameters_get_no_gradient(g, x):
    g.requires_grad_(False)
    _, log_det = neumann_log_det(g, x, draw_probes(x, 1), [1.0, 1.0])
    (gradient,) = torch.autograd.grad(log_det.sum(), x)
    assert gradient.abs().sum() > 0


def test_wrong_shapes_are_named(g, x):
    with pytest.raises(FashionDGMError, match="probes must have shape"):
        neumann_log_det(g, x, torch.ones(1, 2, *SHAPE, dtype=torch.float64), [1.0])
    with pytest.raises(FashionDGMError, match="keeps the shape"):
        neumann_log_det(nn.Flatten(), x, draw_probes(x, 1), [1.0])
