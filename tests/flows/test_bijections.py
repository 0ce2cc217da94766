"""One test a property, over every bijection."""

import copy
import math

import pytest
import torch
from torch import Tensor, nn

from fashion_dgm.flows import (
    ActNorm,
    Bijection,
    Chain,
    ChannelHalves,
    Checkerboard,
    ExactLogDet,
    InvertibleResidual,
    LipschitzConv2d,
    LipschitzLinear,
    LipSwish,
    Logit,
    MixtureFlow,
    MultiScale,
    RealNVP,
    ResidualFlow,
    Squeeze,
    Truncation,
    log_det_series,
    neumann_log_det,
    update_norms,
)
from fashion_dgm.flows.log_det import LogDetEstimate
from tests.small import coupling, mixture_config, perturb, realnvp_config, residual_config


def realnvp(shape: tuple[int, int, int] = (1, 4, 4), **changes: int) -> RealNVP:
    return RealNVP(realnvp_config(hidden_channels=5, logit_alpha=0.01, **changes), shape)


def mixture_flow(**changes: int) -> MixtureFlow:
    return MixtureFlow(mixture_config(hidden_channels=5, logit_alpha=0.01, **changes), (1, 4, 4))


def multiscale() -> MultiScale:
    first = Chain(coupling(Checkerboard(0), 1), Squeeze(), ActNorm(4))
    second = Chain(coupling(Checkerboard(1), 2), Squeeze(), coupling(ChannelHalves(1), 8))
    return MultiScale([first, second], [(4, 2, 2), (8, 1, 1)])


class BasisLogDet:
    """The truncated series with a basis in the place of random probes, so that nothing but its end is missing."""

    def __init__(self, gradient: str) -> None:
        self.gradient = gradient

    def __call__(self, g: nn.Module, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        size, weights = x[0].numel(), Truncation(80).draw()
        unit = torch.eye(size, dtype=x.dtype).view(size, 1, *x.shape[1:])
        probes = math.sqrt(size) * unit.expand(size, *x.shape)
        if self.gradient == "neumann":
            return neumann_log_det(g, x, probes, weights)
        return log_det_series(g, x, probes, weights, create_graph=True)


def residual(estimate: LogDetEstimate, coefficient: float = 0.9) -> InvertibleResidual:
    layers = [LipschitzConv2d(2, 4, 3, (3, 2), coefficient), LipSwish(), LipschitzConv2d(4, 2, 3, (3, 2), coefficient)]
    return InvertibleResidual(nn.Sequential(*layers), estimate, estimate, tolerance=1e-13)


def fully_connected_residual() -> InvertibleResidual:
    layers = [LipSwish(), LipschitzLinear(8, 3), LipSwish(), LipschitzLinear(3, 8)]
    g = nn.Sequential(nn.Flatten(), *layers, nn.Unflatten(1, (2, 2, 2)))
    return InvertibleResidual(g, ExactLogDet(), ExactLogDet(), tolerance=1e-13)


def residual_flow(**changes: bool) -> ResidualFlow:
    settings = {"hidden_channels": 5, "squeeze_first": False, "logit_alpha": 0.01, "inverse_tolerance": 1e-13}
    flow = ResidualFlow(residual_config(**{**settings, **changes}), (1, 4, 4))
    for block in flow.blocks:
        block.training_estimate = block.evaluation_estimate = ExactLogDet()
    return flow


# Name to a maker and the shape of its input.
CASES = {
    "actnorm": (lambda: ActNorm(3), (3, 2, 4)),
    "chain": (lambda: Chain(ActNorm(2), coupling(ChannelHalves(0), 2), Squeeze(), ActNorm(8)), (2, 4, 2)),
    "chain of none": (Chain, (2, 2, 2)),
    "checkerboard coupling 0": (lambda: coupling(Checkerboard(0), 1), (1, 4, 4)),
    "checkerboard coupling 1": (lambda: coupling(Checkerboard(1), 2), (2, 2, 4)),
    "channel coupling 0": (lambda: coupling(ChannelHalves(0), 4), (4, 3, 2)),
    "channel coupling 1": (lambda: coupling(ChannelHalves(1), 2), (2, 3, 3)),
    "logit": (lambda: Logit(0.01), (1, 3, 3)),
    "mixture coupling": (lambda: coupling(Checkerboard(0), 1, 3), (1, 4, 4)),
    "mixture coupling of one logistic": (lambda: coupling(ChannelHalves(1), 4, 1), (4, 2, 3)),
    "mixture flow": (mixture_flow, (1, 4, 4)),
    "mixture flow whose networks have the place as an input": (lambda: mixture_flow(position=True), (1, 4, 4)),
    "multiscale": (multiscale, (1, 4, 4)),
    "realnvp, 1 scale": (lambda: realnvp(scales=1), (1, 4, 4)),
    "realnvp, 2 scales": (realnvp, (1, 4, 4)),
    "realnvp, 3 scales, the last of odd size": (lambda: realnvp(scales=3), (1, 4, 4)),
    "realnvp whose networks have the place as an input": (lambda: realnvp(position=True), (1, 4, 4)),
    "realnvp without checkerboards": (lambda: realnvp((1, 4, 8), checkerboard_couplings=0), (1, 4, 8)),
    "realnvp without channel couplings": (lambda: realnvp(channel_couplings=0), (1, 4, 4)),
    "residual": (lambda: residual(ExactLogDet()), (2, 3, 2)),
    "residual, fully connected": (fully_connected_residual, (2, 2, 2)),
    "residual, by its series": (lambda: residual(BasisLogDet("series"), 0.75), (2, 3, 2)),
    "residual, by its series and a Neumann gradient": (lambda: residual(BasisLogDet("neumann"), 0.75), (2, 3, 2)),
    "residual flow": (residual_flow, (1, 4, 4)),
    "residual flow that factors out": (lambda: residual_flow(factor_out=True), (1, 4, 4)),
    "residual flow that squeezes first": (lambda: residual_flow(squeeze_first=True), (1, 4, 4)),
    "squeeze": (Squeeze, (2, 4, 2)),
}
N = 3


@pytest.fixture(params=CASES)
def case(request) -> tuple[Bijection, Tensor]:
    """A bijection with arbitrary weights, after its first training batch, and images in (0, 1); both in float64."""
    make, shape = CASES[request.param]
    bijection = make().double().train()
    bijection(torch.rand(16, *shape, dtype=torch.float64))
    perturb(bijection)
    update_norms(bijection, 1e-6, 2000)
    return bijection, torch.rand(N, *shape, dtype=torch.float64)


def test_inverse_undoes_forward_and_forward_undoes_inverse(case):
    """docs/theory/change-of-variables.md#a-coupling-is-inverted-without-inverting-its-networks"""
    bijection, x = case
    y, _ = bijection(x)
    torch.testing.assert_close(bijection.inverse(y), x, rtol=0, atol=1e-10)
    torch.testing.assert_close(bijection(bijection.inverse(y))[0], y, rtol=0, atol=1e-9)


def test_weights_make_it_no_identity(case):
    bijection, x = case
    y, log_det = bijection(x)
    if any(True for _ in bijection.parameters()):
        assert not torch.allclose(y.flatten().sort().values, x.flatten().sort().values)
        assert log_det.abs().min() > 1e-3


def test_log_det_is_that_of_the_jacobian(case):
    """docs/theory/change-of-variables.md#log-determinants-add-along-a-chain

    And docs/theory/change-of-variables.md#factoring-out-keeps-the-density-exact
    """
    bijection, x = case
    bijection.eval()
    size = x[0].numel()
    _, log_det = bijection(x)
    for image, value in zip(x, log_det, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda one: bijection(one[None])[0][0], image)
        expected = torch.linalg.slogdet(jacobian.reshape(size, size)).logabsdet
        torch.testing.assert_close(value, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_log_det_has_one_value_an_image_in_the_dtype_of_the_flow(case, dtype):
    bijection, x = case
    y, log_det = bijection.to(dtype)(x.to(dtype))
    assert y.dtype == log_det.dtype == dtype
    assert log_det.shape == (N,)
    assert y.numel() == x.numel()


def test_every_image_is_mapped_on_its_own(case):
    bijection, x = case
    y, log_det = bijection(x)
    alone = [bijection(image[None]) for image in x]
    torch.testing.assert_close(torch.cat([one for one, _ in alone]), y)
    torch.testing.assert_close(torch.cat([one for _, one in alone]), log_det)


def test_evaluation_equals_training(case):
    bijection, x = case
    y, log_det = bijection.train()(x)
    y_eval, log_det_eval = bijection.eval()(x)
    assert torch.equal(y, y_eval)
    assert torch.equal(log_det, log_det_eval)


def test_every_parameter_gets_a_gradient(case):
    bijection, x = case
    y, log_det = bijection(x.requires_grad_())
    (y.square().sum() - log_det.sum()).backward()
    for name, parameter in bijection.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_log_det_stays_float32_under_bfloat16_autocast(case):
    bijection, x = case
    y, exact = bijection(x)
    bijection.float()
    with torch.autocast("cpu", torch.bfloat16):
        rounded, log_det = bijection(x.float())
        back = bijection.inverse(rounded)
    assert rounded.dtype == log_det.dtype == torch.float32
    torch.testing.assert_close(rounded.double(), y, rtol=0.05, atol=0.05)
    torch.testing.assert_close(log_det.double(), exact, rtol=0.01, atol=0.02 * math.sqrt(x[0].numel()))
    # The network rounds, the map of the other half does not: the inverse stays exact to float32.
    torch.testing.assert_close(back, x.float(), rtol=0, atol=1e-4)


def test_state_and_copies_carry_everything(case):
    bijection, x = case
    y, log_det = bijection(x)
    twin = copy.deepcopy(bijection)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    twin.load_state_dict(bijection.state_dict())
    for one in (bijection, twin):
        assert torch.equal(one(x)[0], y)
        assert torch.equal(one(x)[1], log_det)
