"""Estimates of a log-determinant against the whole Jacobian."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import (
    Geometric,
    Poisson,
    Roulette,
    Truncation,
    batch_jacobian,
    draw_probes,
    exact_log_det,
    log_det_series,
    probe_powers,
)
from fashion_dgm.flows import log_det as log_det_module

N = 3


class Branch(nn.Module):
    """A small network whose Jacobian is not symmetric, of Lipschitz constant at most `bound`."""

    def __init__(self, bound: float = 0.8, size: int = 6) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.ModuleList([nn.Linear(size, 9), nn.Linear(9, size)]).double()
        with torch.no_grad():
            for layer in self.layers:
                layer.weight.mul_(math.sqrt(bound) / torch.linalg.matrix_norm(layer.weight, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers[1](torch.tanh(self.layers[0](x)))


class ImageBranch(Branch):
    """The same on images `(N, 1, 2, 3)`."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(1)).view(x.shape)


@pytest.fixture(params=[(Branch, (6,)), (ImageBranch, (1, 2, 3))], ids=["vectors", "images"])
def case(request) -> tuple[Branch, Tensor]:
    make, shape = request.param
    return make(), torch.randn(N, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def basis(x: Tensor) -> Tensor:
    """The standard basis as probes; times sqrt(d), the mean over them is the trace exactly."""
    size = x[0].numel()
    vectors = torch.eye(size, dtype=x.dtype).view(size, 1, *x.shape[1:]) * math.sqrt(size)
    return vectors.expand(size, *x.shape)


def test_the_jacobian_is_autograds(case, monkeypatch):
    g, x = case
    for rows in (1, 4, 64):
        monkeypatch.setattr(log_det_module, "ROWS_AT_ONCE", rows)
        y, jacobian = batch_jacobian(g, x)
        torch.testing.assert_close(y, g(x))
        for image, own in zip(x, jacobian, strict=True):
            expected = torch.autograd.functional.jacobian(lambda one: g(one[None])[0], image)
            torch.testing.assert_close(own, expected.reshape(own.shape))


def test_the_standard_basis_gives_exact_traces_of_powers(case):
    g, x = case
    y, powers = probe_powers(g, x, basis(x), terms=4)
    _, jacobian = batch_jacobian(g, x)
    torch.testing.assert_close(y, g(x))
    for k, power in enumerate(powers, start=1):
        expected = torch.linalg.matrix_power(jacobian, k).diagonal(dim1=1, dim2=2).sum(1)
        torch.testing.assert_close(power.mean(0), expected, rtol=1e-12, atol=1e-12)


def test_a_long_series_over_the_basis_is_the_log_determinant(case):
    g, x = case
    y, estimate = log_det_series(g, x, basis(x), Truncation(120).draw())
    same, exact = exact_log_det(g, x)
    torch.testing.assert_close(y, same)
    torch.testing.assert_close(estimate, exact, rtol=0, atol=1e-12)
    assert exact.abs().min() > 0.01


@pytest.mark.parametrize("terms", [1, 2, 5])
def test_truncation_errs_within_its_bound(case, terms):
    g, x = case
    _, estimate = log_det_series(g, x, basis(x), Truncation(terms).draw())
    _, exact = exact_log_det(g, x)
    size, kappa = 6, 0.8
    error = (estimate - exact).abs()
    assert (error <= size * kappa ** (terms + 1) / ((terms + 1) * (1 - kappa))).all()
    assert error.max() > 1e-6


def test_the_gradient_is_that_of_the_exact_log_determinant(case):
    g, x = case
    parameters = list(g.parameters())
    inputs = x.clone().requires_grad_()
    _, estimate = log_det_series(g, inputs, basis(x), Truncation(120).draw(), create_graph=True)
    _, exact = exact_log_det(g, inputs, create_graph=True)
    weights = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
    ours, theirs = (
        torch.autograd.grad((weights * values).sum(), [inputs, *parameters], materialize_grads=True)
        for values in (estimate, exact)
    )
    for own, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(own, expected, rtol=1e-8, atol=1e-10)
    assert ours[0].abs().max() > 1e-3


def test_without_a_graph_only_the_value_of_g_can_be_differentiated(case):
    g, x = case
    y, log_det = log_det_series(g, x, draw_probes(x, 2), Truncation(3).draw())
    assert not log_det.requires_grad
    y.sum().backward()
    assert all(parameter.grad is not None for parameter in g.parameters())
    with torch.no_grad():
        y, log_det = log_det_series(g, x, draw_probes(x, 2), Truncation(3).draw(), create_graph=True)
    assert not y.requires_grad


def many(g: nn.Module, x: Tensor, kind: str, count: int, terms: int) -> Tensor:
    """`v^T J^k v` at the first image, `(terms, count)`."""
    probes = draw_probes(x[:1], count, kind, torch.Generator().manual_seed(3))
    return probe_powers(g, x[:1], probes, terms)[1][:, :, 0]


@pytest.mark.parametrize("kind", ["rademacher", "gaussian"])
def test_probes_are_unbiased(case, kind):
    """False alarm: 1 in 300,000 (4.9 standard errors, 3 powers)."""
    g, x = case
    values = many(g, x, kind, 20_000, terms=3)
    jacobian = batch_jacobian(g, x[:1])[1][0]
    exact = torch.stack([torch.linalg.matrix_power(jacobian, k).trace() for k in (1, 2, 3)])
    error = values.std(1) / math.sqrt(20_000)
    assert (error < 0.02).all()
    assert ((values.mean(1) - exact).abs() < 4.9 * error).all()


@pytest.mark.parametrize("kind", ["rademacher", "gaussian"])
def test_the_variance_is_the_theorys(case, kind):
    """`2 (|S|^2 - sum s_ii^2)` and `2 |S|^2`; false alarm: 1 in a million (4.9 standard errors of a variance)."""
    g, x = case
    values = many(g, x, kind, 50_000, terms=1)[0]
    jacobian = batch_jacobian(g, x[:1])[1][0]
    symmetric = (jacobian + jacobian.T) / 2
    diagonal = symmetric.diagonal().square().sum() if kind == "rademacher" else 0.0
    expected = 2 * (symmetric.square().sum() - diagonal)
    squares = (values - values.mean()).square()
    assert (squares.mean() - expected).abs() < 4.9 * squares.std() / math.sqrt(len(squares))
    assert squares.std() / math.sqrt(len(squares)) < 0.05 * expected


ROULETTES = [Roulette(0, Geometric(0.3)), Roulette(2, Geometric(0.5)), Roulette(2, Poisson(4.0))]


@pytest.mark.slow
@pytest.mark.parametrize("roulette", ROULETTES, ids=str)
def test_roulette_with_probes_is_unbiased(roulette):
    """False alarm: 1 in a million for each (4.9 standard errors of a mean of 1,000 draws of 16 probes).

    For Poisson, whose variance is infinite on paper, this holds of the terms that 1,000 draws reach.
    """
    g, draws, probes = Branch(bound=0.6), 1_000, 16
    x = torch.randn(1, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(4)
    estimates = torch.cat(
        [
            log_det_series(g, x, draw_probes(x, probes, generator=generator), roulette.draw(generator))[1]
            for _ in range(draws)
        ]
    )
    _, exact = exact_log_det(g, x)
    error = estimates.std() / math.sqrt(draws)
    assert error < 0.02 * exact.abs()
    assert (estimates.mean() - exact).abs() < 4.9 * error


def test_each_image_is_estimated_on_its_own(case):
    g, x = case
    probes = draw_probes(x, 4, generator=torch.Generator().manual_seed(5))
    _, together = log_det_series(g, x, probes, Truncation(5).draw())
    alone = [log_det_series(g, x[i : i + 1], probes[:, i : i + 1], Truncation(5).draw())[1] for i in range(N)]
    torch.testing.assert_close(together, torch.cat(alone))


def test_several_probes_are_the_mean_of_single_ones(case):
    g, x = case
    probes = draw_probes(x, 4, "gaussian", torch.Generator().manual_seed(6))
    _, together = log_det_series(g, x, probes, Truncation(5).draw())
    alone = [log_det_series(g, x, probe[None], Truncation(5).draw())[1] for probe in probes]
    torch.testing.assert_close(together, torch.stack(alone).mean(0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_results_have_the_dtype_of_the_images(case, dtype):
    g, x = case
    y, log_det = log_det_series(g.to(dtype), x.to(dtype), draw_probes(x.to(dtype), 2), Truncation(2).draw())
    assert y.dtype == log_det.dtype == dtype
    assert y.shape == x.shape
    assert log_det.shape == (N,)


def test_float32_under_bfloat16_autocast(case):
    g, x = case
    probes = draw_probes(x.float(), 3, generator=torch.Generator().manual_seed(7))
    _, exact = log_det_series(g, x, probes.double(), Truncation(6).draw())
    g.float()
    with torch.autocast("cpu", torch.bfloat16):
        assert g(x.float()).dtype == torch.bfloat16
        y, log_det = log_det_series(g, x.float(), probes, Truncation(6).draw(), create_graph=True)
    assert y.dtype == log_det.dtype == torch.float32
    torch.testing.assert_close(log_det.double(), exact, rtol=0.02, atol=0.02)
    log_det.sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in g.parameters() if parameter.grad is not None)


def test_no_terms_estimate_zero(case):
    g, x = case
    y, log_det = log_det_series(g, x, draw_probes(x, 2), ())
    assert torch.equal(log_det, torch.zeros(N, dtype=torch.float64))
    torch.testing.assert_close(y, g(x))


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
    again = draw_probes(like, 500, kind, torch.Generator().manual_seed(8))
    assert torch.equal(probes, again)


@pytest.mark.parametrize(
    "call",
    [
        lambda g, x: draw_probes(x, 0),
        lambda g, x: draw_probes(x, 1, "cauchy"),
        lambda g, x: probe_powers(g, x, draw_probes(x, 1), -1),
        lambda g, x: probe_powers(g, x, draw_probes(x, 1)[:0], 1),
        lambda g, x: probe_powers(g, x, draw_probes(x, 1)[0], 1),
        lambda g, x: probe_powers(lambda one: g(one)[:, :-1], x, draw_probes(x, 1), 1),
        lambda g, x: exact_log_det(lambda one: -2 * one.flip(-1), x),
    ],
)
def test_what_cannot_be_estimated_is_refused(call):
    x = torch.zeros(N, 6, dtype=torch.float64)
    with pytest.raises(FashionDGMError, match=r"not|gives"):
        call(Branch(), x)
