"""Coupling by mixtures of logistics, beyond what every bijection must keep."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import ChannelHalves, LogisticMixture, MixtureCoupling, ResidualConditioner
from fashion_dgm.flows.coupling import SMALLEST_SLOPE


def mixture(components: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> LogisticMixture:
    generator = torch.Generator().manual_seed(seed)
    draw = torch.randn(3, 7, components, 5, generator=generator, dtype=dtype)
    return LogisticMixture(draw[0].log_softmax(1), 3 * draw[1], draw[2])


def test_one_component_is_affine() -> None:
    one = mixture(1)
    x = torch.linspace(-30, 30, 35, dtype=torch.float64).view(7, 5)
    y, log_slope = one.forward(x)
    scale = one.log_scales[:, 0].exp()
    torch.testing.assert_close(y, (x - one.means[:, 0]) / scale + SMALLEST_SLOPE * x)
    torch.testing.assert_close(log_slope.exp(), 1 / scale + SMALLEST_SLOPE)


def test_it_is_the_logit_of_the_weighted_sum_of_logistic_cdfs() -> None:
    several = mixture(4)
    x = torch.randn(7, 5, dtype=torch.float64)
    cdfs = torch.sigmoid((x[:, None] - several.means) / several.log_scales.exp())
    expected = torch.logit((several.log_weights.exp() * cdfs).sum(1)) + SMALLEST_SLOPE * x
    torch.testing.assert_close(several.forward(x)[0], expected)


def test_far_tails_stay_finite_and_monotone() -> None:
    several = mixture(4, dtype=torch.float32)
    x = torch.linspace(-1e4, 1e4, 1001)
    values = torch.stack([several.forward(point.expand(7, 5))[0] for point in x])
    assert values.isfinite().all()
    assert (values.diff(dim=0) > 0).all()


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.float64, 1e-12)])
def test_the_inverse_finds_its_way_across_a_plateau(dtype: torch.dtype, tolerance: float) -> None:
    means = torch.tensor([-4.0, 4.0], dtype=dtype)[None, :, None].expand(1, 2, 201)
    narrow = LogisticMixture(torch.full_like(means, 0.5).log(), means, torch.full_like(means, -4.0))
    x = torch.linspace(-10, 10, 201, dtype=dtype)[None]
    back = narrow.inverse(narrow.forward(x)[0])
    torch.testing.assert_close(back, x, rtol=0, atol=tolerance)


@pytest.mark.slow
def test_the_inverse_never_gets_stuck() -> None:
    """Plain Newton within a bracket did, after training: errors of 0.3 where one in 10,000 pixels lay badly."""
    generator = torch.Generator().manual_seed(0)
    weights, means, scales = torch.randn(3, 1, 4, 100_000, generator=generator, dtype=torch.float64)
    many = LogisticMixture((3 * weights).log_softmax(1), 2 * means, 3 * torch.tanh(scales) - 1.5)
    x = 4 * torch.randn(1, 100_000, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(many.inverse(many.forward(x)[0]), x, rtol=0, atol=1e-11)


def test_components_learn_apart() -> None:
    torch.manual_seed(0)
    layer = coupling(3)
    y, log_det = layer(torch.randn(8, 4, 3, 3))
    (y.square().sum() - log_det.sum()).backward()
    gradient = layer.mean.grad
    assert isinstance(gradient, Tensor)
    assert gradient.flatten(1).unique(dim=0).shape[0] == 3


@pytest.mark.parametrize(("components", "channels"), [(0, 4), (3, 23)])
def test_channels_that_do_not_divide_are_refused(components: int, channels: int) -> None:
    with pytest.raises(FashionDGMError, match=r"at least 1 component|multiple of 11, not 23"):
        MixtureCoupling(ChannelHalves(0), ResidualConditioner(2, 4, channels, 0), components)


def coupling(components: int) -> MixtureCoupling:
    return MixtureCoupling(
        ChannelHalves(0), ResidualConditioner(2, 4, 2 * MixtureCoupling.parts(components), 0), components
    )
