"""Log-determinants by series and probes, compared with the whole Jacobian.

That Hutchinson's probes and roulettes are unbiased is tested in tests/theory/test_log_det_estimation.py.
"""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fashion_dgm.config import SeriesConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import (
    Geometric,
    Roulette,
    SeriesLogDet,
    batch_jacobian,
    draw_probes,
    exact_log_det,
    log_det,
    log_det_series,
    neumann_log_det,
    probe_powers,
)
from fashion_dgm.flows.series_weights import Poisson, Truncation

UPSTREAM = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
N = len(UPSTREAM)


class Branch(nn.Module):
    """A small network whose Jacobian is not symmetric, of Lipschitz constant at most 0.8."""

    def __init__(self, size: int = 6) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.ModuleList([nn.Linear(size, 9), nn.Linear(9, size)]).double()
        with torch.no_grad():
            for layer in self.layers:
                layer.weight.mul_(math.sqrt(0.8) / torch.linalg.matrix_norm(layer.weight, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers[1](torch.tanh(self.layers[0](x.flatten(1)))).view(x.shape)


@pytest.fixture(params=[(6,), (1, 2, 3)], ids=["vectors", "images"])
def case(request) -> tuple[Branch, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return Branch(), torch.randn(N, *request.param, dtype=torch.float64, generator=generator, requires_grad=True)


def basis(x: Tensor) -> Tensor:
    """The standard basis as probes; times sqrt(d), the mean over them is the trace exactly."""
    size = x[0].numel()
    vectors = torch.eye(size, dtype=x.dtype).view(size, 1, *x.shape[1:]) * math.sqrt(size)
    return vectors.expand(size, *x.shape)


def gradients(y: Tensor, log_dets: Tensor, g: nn.Module, x: Tensor, of_y: float = 1) -> list[Tensor]:
    total = (UPSTREAM * log_dets).sum() + of_y * y.square().sum()
    return list(torch.autograd.grad(total, [x, *g.parameters()], materialize_grads=True))


def test_the_jacobian_is_autograds(case, monkeypatch):
    g, x = case
    for rows in (1, 4, 64):
        monkeypatch.setattr(log_det, "ROWS_AT_ONCE", rows)
        y, jacobian = batch_jacobian(g, x)
        torch.testing.assert_close(y, g(x).detach())
        for image, own in zip(x, jacobian, strict=True):
            expected = torch.autograd.functional.jacobian(lambda one: g(one[None])[0], image)
            torch.testing.assert_close(own, expected.reshape(own.shape))


@pytest.mark.parametrize("of_y", [0, 1])
@pytest.mark.parametrize("neumann", [False, True])
def test_a_long_series_over_the_basis_is_the_log_determinant_and_has_its_gradient(case, neumann, of_y):
    """docs/theory/log-det-estimation.md#the-gradient-is-a-neumann-series"""
    g, x = case
    estimate = neumann_log_det if neumann else log_det_series
    ours = estimate(g, x, basis(x), [1.0] * 120, **({} if neumann else {"create_graph": True}))
    exact = exact_log_det(g, x, create_graph=True)
    torch.testing.assert_close(ours, exact, rtol=0, atol=1e-12)
    assert exact[1].abs().min() > 0.01
    found, expected = gradients(*ours, g, x, of_y), gradients(*exact, g, x, of_y)
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-10)
    assert found[0].abs().max() > 1e-3


@pytest.mark.parametrize("weights", [[1.0], [1.0, 1.0], [1.0, 2.0, 5.0]])
def test_a_neumann_series_has_the_gradient_of_one_term_more(case, weights):
    """docs/theory/log-det-estimation.md#the-gradient-is-a-neumann-series"""
    g, x = case
    ours = neumann_log_det(g, x, basis(x), weights)
    torch.testing.assert_close(ours, log_det_series(g, x, basis(x), weights))
    longer = log_det_series(g, x, basis(x), [1.0, *weights], create_graph=True)
    torch.testing.assert_close(gradients(*ours, g, x), gradients(*longer, g, x), rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rademacher", "gaussian"])
def test_gradient_is_unbiased(kind):
    """72 gradients at 5.2 standard errors each: one seed in 70,000 is a false alarm (union bound, normal tails)."""
    g, x = Branch(), torch.randn(N, 6, dtype=torch.float64, requires_grad=True)
    copies, batches, generator = 60, 150, torch.Generator().manual_seed(3)
    of = [g.layers[0].weight, x]
    _, exact_value = exact_log_det(g, x, create_graph=True)
    exact = torch.cat([part.flatten() for part in torch.autograd.grad((UPSTREAM * exact_value).sum(), of)])
    roulette, samples = Roulette(1, Geometric(0.4)), []
    for _ in range(batches):
        many = x.repeat(copies, 1)
        _, values = neumann_log_det(g, many, draw_probes(many, 1, kind, generator), roulette.draw(generator))
        parts = torch.autograd.grad((UPSTREAM.repeat(copies) * values).sum() / copies, of)
        samples.append(torch.cat([part.flatten() for part in parts]))
    mean, error = torch.stack(samples).mean(0), torch.stack(samples).std(0) / math.sqrt(batches)
    assert ((mean - exact).abs() <= 5.2 * error).all()
    # It would notice a gradient that is off by a fifth.
    assert ((1.2 * mean - exact).abs() > 5.2 * error).any()


def test_what_is_kept_for_the_backward_pass_does_not_grow_with_the_terms_and_parameters_may_be_frozen(case):
    g, x = case
    for terms in (1, 12):
        _, values = neumann_log_det(g, x, draw_probes(x, 1), [1.0] * terms)
        kept = sum(tensor.numel() for tensor in values.grad_fn.saved_tensors)
        assert kept == 3 * x.numel() + sum(parameter.numel() for parameter in g.parameters())
    g.requires_grad_(False)
    _, values = neumann_log_det(g, x, draw_probes(x, 1), [1.0, 1.0])
    assert torch.autograd.grad(values.sum(), x)[0].abs().sum() > 0


def test_without_a_graph_only_the_value_of_g_can_be_differentiated(case):
    g, x = case
    y, values = log_det_series(g, x, draw_probes(x, 2), [1.0] * 3)
    assert not values.requires_grad
    y.sum().backward()
    assert all(parameter.grad is not None for parameter in g.parameters())
    with torch.no_grad():
        y, _ = log_det_series(g, x, draw_probes(x, 2), [1.0] * 3, create_graph=True)
    assert not y.requires_grad


def test_images_and_probes_are_taken_on_their_own(case):
    g, x = case
    probes, weights = draw_probes(x, 4, "gaussian"), [1.0] * 5
    _, together = log_det_series(g, x, probes, weights)
    images = [log_det_series(g, x[i : i + 1], probes[:, i : i + 1], weights)[1] for i in range(N)]
    torch.testing.assert_close(together, torch.cat(images))
    single = [log_det_series(g, x, probe[None], weights)[1] for probe in probes]
    torch.testing.assert_close(together, torch.stack(single).mean(0))


def test_a_series_without_terms_is_zero(case):
    g, x = case
    y, values = log_det_series(g, x, draw_probes(x, 2), [])
    torch.testing.assert_close(y, g(x))
    assert torch.equal(values, torch.zeros(N, dtype=torch.float64))


@pytest.mark.parametrize("kind", ["rademacher", "gaussian"])
def test_probes_have_the_shape_and_moments_they_should(kind):
    """False alarm: 1 in 300,000 (4.9 standard errors, mean and variance)."""
    like = torch.zeros(5, 1, 4, 4, dtype=torch.bfloat16)
    probes = draw_probes(like, 500, kind, torch.Generator().manual_seed(8))
    assert probes.shape == (500, 5, 1, 4, 4)
    assert probes.dtype == torch.float32
    count = probes.numel()
    assert probes.mean().abs() < 4.9 / math.sqrt(count)
    assert (probes.square().mean() - 1).abs() < 4.9 * math.sqrt(2 / count)
    assert kind == "gaussian" or set(probes.unique().tolist()) == {-1.0, 1.0}
    assert torch.equal(probes, draw_probes(like, 500, kind, torch.Generator().manual_seed(8)))


@pytest.mark.parametrize(
    "call",
    [
        lambda g, x: draw_probes(x, 0),
        lambda g, x: draw_probes(x, 1, "cauchy"),
        lambda g, x: probe_powers(g, x, draw_probes(x, 1), -1),
        lambda g, x: probe_powers(g, x, draw_probes(x, 1)[:0], 1),
        lambda g, x: probe_powers(g, x, draw_probes(x, 1)[0], 1),
        lambda g, x: probe_powers(lambda one: g(one)[:, :-1], x, draw_probes(x, 1), 1),
        lambda g, x: neumann_log_det(g, x, draw_probes(x, 1)[0], [1.0]),
        lambda g, x: neumann_log_det(nn.Linear(6, 5).double(), x, draw_probes(x, 1), [1.0]),
        lambda g, x: exact_log_det(lambda one: -2 * one.flip(-1), x),
    ],
)
def test_what_cannot_be_estimated_is_refused(call):
    with pytest.raises(FashionDGMError, match=r"not|gives"):
        call(Branch(), torch.zeros(N, 6, dtype=torch.float64))


@pytest.mark.parametrize(
    ("changes", "weights"),
    [
        ({}, Roulette(5, Geometric(0.5))),
        ({"roulette": "poisson", "mean_terms": 3.0}, Roulette(5, Poisson(3.0))),
        ({"roulette": "none"}, Truncation(5)),
    ],
)
def test_the_estimate_is_the_one_that_parameters_name(changes: dict[str, Any], weights: Roulette | Truncation) -> None:
    config = SeriesConfig(exact_terms=5, probes=2, probe_kind="gaussian", gradient="series", **changes)
    assert SeriesLogDet.of(config) == SeriesLogDet(weights, 2, "gaussian", "series")
