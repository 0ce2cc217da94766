"""The claims of docs/theory/change-of-variables.md, on the project's own layers."""

import math

import pytest
import torch
from torch import Tensor

from fashion_dgm.flows import (
    ActNorm,
    Bijection,
    Chain,
    ChannelHalves,
    Checkerboard,
    LogisticMixture,
    Logit,
    MixtureCoupling,
    Partition,
    ResidualConditioner,
)
from tests.small import coupling, perturb


def plane_flow() -> Chain:
    """A flow of images of two values, so that densities can be integrated on a grid."""
    layers = ActNorm(2), coupling(ChannelHalves(0), 2), ActNorm(2), coupling(ChannelHalves(1), 2)
    return perturb(Chain(*layers).double().eval(), 0.3)


def log_normal(z: Tensor) -> Tensor:
    return -0.5 * (z.square() + math.log(2 * math.pi)).flatten(1).sum(1)


@torch.no_grad()
def integral(flow: Bijection, low: tuple[float, float], high: tuple[float, float], steps: int) -> float:
    """The density of a plane flow, integrated over a rectangle by the midpoint rule."""
    axes = [
        a + (b - a) * (torch.arange(steps, dtype=torch.float64) + 0.5) / steps for a, b in zip(low, high, strict=True)
    ]
    z, log_det = flow(torch.cartesian_prod(*axes)[:, :, None, None])
    cell = math.prod(b - a for a, b in zip(low, high, strict=True)) / steps**2
    return float((log_normal(z) + log_det).exp().sum() * cell)


def test_density_integrates_to_one() -> None:
    """docs/theory/change-of-variables.md#the-density-of-an-image"""
    assert integral(plane_flow(), (-40, -40), (40, 40), steps=750) == pytest.approx(1, abs=1e-4)


def test_density_gives_the_fraction_of_samples_in_a_box() -> None:
    """docs/theory/change-of-variables.md#the-density-of-an-image

    False alarm: 1 in a million (4.9 standard deviations of a binomial fraction).
    """
    flow, count = plane_flow(), 40_000
    with torch.no_grad():
        latents = torch.randn(count, 2, 1, 1, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
        samples = flow.inverse(latents).flatten(1)
    middle = samples.median(dim=0).values
    inside = ((samples > middle) & (samples < middle + 1)).all(dim=1).double().mean().item()
    low = (middle[0].item(), middle[1].item())
    probability = integral(flow, low, (low[0] + 1, low[1] + 1), steps=200)
    assert 0.05 < probability < 0.5
    assert abs(inside - probability) < 4.9 * math.sqrt(probability * (1 - probability) / count)


@pytest.mark.parametrize("components", [0, 3], ids=["affine", "mixture"])
@pytest.mark.parametrize("partition", [Checkerboard(0), Checkerboard(1), ChannelHalves(0), ChannelHalves(1)], ids=str)
def test_jacobian_of_a_coupling_is_triangular(partition: Partition, components: int) -> None:
    """docs/theory/change-of-variables.md#a-coupling-has-a-triangular-jacobian

    And docs/theory/change-of-variables.md#mixture-couplings-are-nonlinear
    """
    layer = perturb(coupling(partition, 2, components).double(), 0.3)
    x = torch.rand(1, 2, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    # Where the values of a and b stand in the image: sorted so, the Jacobian is made of the page's four blocks.
    order = torch.cat([part.flatten() for part in partition.split(torch.arange(32).reshape(1, 2, 4, 4))])
    matrix = torch.autograd.functional.jacobian(lambda image: layer(image)[0], x, vectorize=True).reshape(32, 32)
    matrix = matrix[order][:, order]
    upper_left, upper_right = matrix[:16, :16], matrix[:16, 16:]
    lower_left, lower_right = matrix[16:, :16], matrix[16:, 16:]
    assert torch.equal(upper_left, torch.eye(16, dtype=torch.float64))
    assert torch.equal(upper_right, torch.zeros(16, 16, dtype=torch.float64))
    assert torch.equal(lower_right, torch.diag(lower_right.diagonal()))
    assert lower_left.abs().max() > 0.01
    _, log_det = layer(x)
    assert log_det.item() == pytest.approx(lower_right.diagonal().log().sum().item(), rel=1e-10)


def mixture(*components: tuple[float, float, float]) -> LogisticMixture:
    """One mixture, of components of `(weight, mean, scale)`."""
    weights, means, scales = torch.tensor(components, dtype=torch.float64).T[:, None, :, None]
    return LogisticMixture(weights.log(), means, scales.log())


def test_mixture_bends_the_line_one_to_one() -> None:
    """docs/theory/change-of-variables.md#mixture-couplings-are-nonlinear"""
    components = ((0.3, -3.0, 0.2), (0.6, 2.0, 0.4), (0.1, 5.0, 1.5))
    b = torch.linspace(-8, 9, 2001, dtype=torch.float64).requires_grad_()
    value, log_slope = mixture(*components).forward(b[None])
    cdf = sum(weight * torch.sigmoid((b - mean) / scale) for weight, mean, scale in components)
    torch.testing.assert_close(value[0], torch.logit(cdf) + 0.05 * b, rtol=1e-8, atol=1e-8)
    (slope,) = torch.autograd.grad(value.sum(), b)
    torch.testing.assert_close(log_slope[0].exp(), slope)
    # It bends: flat between the components, though never flatter than beta, and steep at them.
    assert 0.05 <= slope.min() < 0.06 and slope.max() > 1
    alone = torch.stack([(value[0] + mean / scale) / (1 / scale + 0.05) for _, mean, scale in components])
    assert (alone.amin(0) <= b + 1e-9).all() and (b <= alone.amax(0) + 1e-9).all()
    torch.testing.assert_close(mixture(*components).inverse(value.detach()), b[None].detach(), rtol=0, atol=1e-9)


def test_inverse_of_a_mixture_coupling_stretches_errors_by_scale_over_beta_at_most() -> None:
    """docs/theory/change-of-variables.md#mixture-couplings-are-nonlinear"""
    beta = 0.05
    layer = MixtureCoupling(ChannelHalves(0), ResidualConditioner(1, 6, MixtureCoupling.parts(2), 1), 2).double().eval()
    # A new conditioner returns zeros, so two components of weight 1/2 and scale 1. Take them far apart, and s = tanh(-1).
    layer.requires_grad_(False).mean.copy_(torch.tensor([-30.0, 30.0]).view(layer.mean.shape))
    assert layer.conditioner.output.bias is not None
    layer.conditioner.output.bias[1] = -1.0
    s = math.tanh(-1)
    b = torch.linspace(-40, 40, 801, dtype=torch.float64)
    x = torch.stack([torch.zeros_like(b), b], dim=1)[:, :, None, None]
    y, log_det = layer(x)
    error = torch.zeros_like(y)
    error[:, 1] = 1e-3
    stretched = ((layer.inverse(y + error) - x)[:, 1] / 1e-3).abs()
    assert stretched.max() <= math.exp(-s) / beta * (1 + 1e-6)
    # Where h is flat the bound is met, beyond the 1/beta that holds for h alone.
    assert stretched.max() > 0.999 * math.exp(-s) / beta > 2 / beta
    assert (-log_det).max().exp() == pytest.approx(math.exp(-s) / beta, rel=1e-3)


def test_one_component_is_affine() -> None:
    """docs/theory/change-of-variables.md#mixture-couplings-are-nonlinear"""
    b = torch.linspace(-6, 6, 101, dtype=torch.float64)[None]
    value, log_slope = mixture((1.0, 1.5, 0.7)).forward(b)
    torch.testing.assert_close(value, (b - 1.5) / 0.7 + 0.05 * b)
    torch.testing.assert_close(log_slope.exp(), torch.full_like(b, 1 / 0.7 + 0.05))


def test_logit_keeps_the_mass_between_its_ends() -> None:
    """docs/theory/change-of-variables.md#the-logit-truncates-the-prior"""
    layer, steps = Logit(0.05), 200_000
    x = ((torch.arange(steps, dtype=torch.float64) + 0.5) / steps)[:, None].requires_grad_()
    y, log_det = layer(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(log_det, slope[:, 0].log(), rtol=1e-9, atol=1e-9)
    mass = (log_normal(y) + log_det).exp().mean().item()
    end = math.log(0.95 / 0.05)
    assert mass == pytest.approx(math.erf(end / math.sqrt(2)), abs=1e-8)
    assert mass == pytest.approx(0.9968, abs=1e-4)
