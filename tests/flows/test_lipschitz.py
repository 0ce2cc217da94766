import copy

import pytest
import torch
from torch import Tensor

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import LipschitzConv2d, LipschitzLinear, LipSwish, update_norms
from fashion_dgm.flows.lipschitz import LipschitzLayer, measured_norm

# Name to a maker and the shape of its input.
LAYERS = {
    "3x3": (lambda c=0.98: LipschitzConv2d(2, 3, 3, (5, 4), c), (2, 5, 4)),
    "3x3 to fewer": (lambda c=0.98: LipschitzConv2d(4, 1, 3, (4, 4), c), (4, 4, 4)),
    "5x5": (lambda c=0.98: LipschitzConv2d(1, 2, 5, (6, 6), c), (1, 6, 6)),
    "1x1": (lambda c=0.98: LipschitzConv2d(3, 4, 1, (4, 4), c), (3, 4, 4)),
    "matrix": (lambda c=0.98: LipschitzLinear(7, 5, c), (7,)),
}


def dense(layer: LipschitzLayer, shape: tuple[int, ...], weight: Tensor) -> Tensor:
    """The layer as a matrix: what it makes of each unit vector."""
    size = torch.Size(shape).numel()
    basis = torch.eye(size, dtype=weight.dtype).view(size, *shape)
    return layer.apply_linear(basis, weight).flatten(1).T


def dense_norm(layer: LipschitzLayer, shape: tuple[int, ...], weight: Tensor) -> Tensor:
    return torch.linalg.svdvals(dense(layer, shape, weight))[0]


@pytest.fixture(params=LAYERS)
def case(request) -> tuple[LipschitzLayer, tuple[int, ...]]:
    """A layer in float64 whose weights are well above the bound."""
    make, shape = LAYERS[request.param]
    layer = make().double()
    with torch.no_grad():
        layer.weight.mul_(5)
    layer.update(1e-6, 5000)
    return layer, shape


def test_the_norm_and_its_gradient_are_those_of_the_dense_matrix(case):
    layer, shape = case
    exact = dense_norm(layer, shape, layer.weight)
    torch.testing.assert_close(layer.norm(), exact, rtol=1e-5, atol=0)
    (ours,), (expected,) = (torch.autograd.grad(norm, layer.weight) for norm in (layer.norm(), exact))
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-3 * expected.abs().max().item())


def test_the_bounded_layer_has_the_coefficient_as_its_norm_unless_it_is_below(case):
    layer, shape = case
    exact = dense_norm(layer, shape, layer.bounded_weight()).item()
    assert exact == pytest.approx(0.98, rel=1e-5)
    assert measured_norm(layer) == pytest.approx(exact, rel=1e-4)
    with torch.no_grad():
        layer.weight.mul_(0.1 / layer.norm())
    assert torch.equal(layer.bounded_weight(), layer.weight)


@pytest.mark.slow
@pytest.mark.parametrize(("tolerance", "iterations", "excess"), [(1e-3, 200, 1e-2), (1e-4, 2000, 1e-3)])
@pytest.mark.parametrize("name", LAYERS)
def test_the_bound_holds_from_the_start_and_after_steps(name, tolerance, iterations, excess):
    make, shape = LAYERS[name]
    layer = make(0.9)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.05)
    for _ in range(10):
        assert dense_norm(layer, shape, layer.bounded_weight()).item() <= 0.9 * (1 + excess)
        optimizer.zero_grad()
        # Grows without end unless it is bounded.
        (-layer(torch.randn(8, *shape)).square().mean()).backward()
        optimizer.step()
        update_norms(layer, tolerance, iterations)


def test_evaluation_changes_nothing(case):
    layer, shape = case
    before = copy.deepcopy(layer.state_dict())
    layer.eval()
    layer(torch.randn(3, *shape, dtype=torch.float64))
    layer.train()
    layer(torch.randn(3, *shape, dtype=torch.float64))
    measured_norm(layer)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())
    assert {"left", "right"} <= set(before)


def test_a_tolerance_stops_and_zero_does_not(monkeypatch):
    layer = LipschitzConv2d(2, 6, 3, (6, 6))
    calls = []
    adjoint = layer.apply_adjoint
    monkeypatch.setattr(layer, "apply_adjoint", lambda *args: calls.append(1) or adjoint(*args))
    layer.update(1e-3, 100)
    assert len(calls) == 1
    layer.update(0, 100)
    assert len(calls) == 101


@pytest.mark.parametrize("name", LAYERS)
def test_the_bound_holds_again_after_a_weight_of_zeros(name):
    make, shape = LAYERS[name]
    layer = make().double()
    first = layer.weight.detach().clone()
    with torch.no_grad():
        layer.weight.zero_()
        layer.update()
        layer.weight.copy_(first)
        layer.weight.mul_(10 / dense_norm(layer, shape, first))
        layer.update(1e-6, 5000)
        bounded = dense_norm(layer, shape, layer.bounded_weight())
    # Vectors that rest to 1e-6 give the norm to about the square of that.
    assert float(bounded) == pytest.approx(0.98, rel=1e-9)


@torch.no_grad()
def test_the_bound_holds_for_a_weight_that_takes_the_vector_to_zero_and_zeros_give_zeros():
    layer = LipschitzLinear(2, 2)
    for diagonal in ([1.0, 0.0], [0.0, 10.0]):
        layer.weight.copy_(torch.tensor(diagonal).diag())
        layer.update()
    assert measured_norm(layer) == pytest.approx(0.98, rel=1e-6)
    layer.weight.zero_()
    layer.update()
    with torch.enable_grad():
        y = layer(torch.ones(1, 2))
        y.sum().backward()
    assert torch.equal(y[0], layer.bias) and layer.weight.grad.isfinite().all()


@pytest.mark.parametrize("beta", [-3.0, 0.5, 4.0])
def test_lipswish_is_no_steeper_than_one(beta):
    activation = LipSwish().double()
    torch.nn.init.constant_(activation.beta, beta)
    x = torch.linspace(-200, 200, 400_001, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(activation(x).sum(), x)
    assert 0.99 < slope.abs().max() <= 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LipschitzConv2d(1, 1, 2, (4, 4)), "odd kernel, not 2"),
        (lambda: LipschitzConv2d(1, 1, 3, (4, 4), 0), "above 0, not 0"),
        (lambda: LipschitzLinear(1, 1, -0.5), r"above 0, not -0\.5"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(FashionDGMError, match=message):
        make()
