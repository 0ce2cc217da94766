import math

import pytest
import torch
from tests.small import make_flow

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.experiments.latent_space.latents import (
    interpolate,
    relative_norm,
    scale_sizes,
    sparse_latents,
    truncated_latents,
)
from fashion_dgm.flows import Chain


def draws(n: int, dimensions: int, seed: int) -> torch.Tensor:
    return torch.randn(n, dimensions, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("t", [0.0, 0.1, 0.5, 0.8, 1.0])
def test_along_the_sphere_norms_go_linearly_and_directions_turn_evenly(t: float) -> None:
    start, end = 2 * draws(6, 20, 0), draws(6, 20, 1)
    point = interpolate(start, end, t, "spherical")
    torch.testing.assert_close(point.norm(dim=1), (1 - t) * start.norm(dim=1) + t * end.norm(dim=1))
    whole, part = (torch.acos(torch.cosine_similarity(start, z).clamp(-1, 1)) for z in (end, point))
    torch.testing.assert_close(part, t * whole, rtol=0, atol=1e-7)
    torch.testing.assert_close(interpolate(start, end, t, "linear"), (1 - t) * start + t * end)


def test_equal_directions_are_no_problem_and_opposite_ones_are_refused() -> None:
    z = draws(2, 5, 0)
    torch.testing.assert_close(interpolate(z, 3 * z, 0.5, "spherical"), 2 * z)
    with pytest.raises(FashionDGMError, match="opposite"):
        interpolate(z, -z, 0.5, "spherical")
    with pytest.raises(FashionDGMError, match="origin"):
        interpolate(z, 0 * z, 0.5, "spherical")


@pytest.mark.parametrize("limit", [0.3, 1.0, 3.0])
def test_truncated_draws_have_the_variance_of_a_truncated_normal(limit: float) -> None:
    z = truncated_latents(50, 2000, limit, torch.Generator().manual_seed(0)).double()
    assert z.abs().max() <= limit
    density = math.exp(-(limit**2) / 2) / math.sqrt(2 * math.pi)
    variance = 1 - 2 * limit * density / math.erf(limit / math.sqrt(2))
    # False alarm below 1 in a million: 5 standard errors of a mean of squares, whose variance is at most 2.
    assert abs(z.square().mean() - variance) < 5 * math.sqrt(2 / z.numel())
    assert abs(z.mean()) < 5 / math.sqrt(z.numel())
    with pytest.raises(FashionDGMError, match="above 0"):
        truncated_latents(1, 2, 0.0, torch.Generator())


@pytest.mark.parametrize("active", [1, 3, 40])
def test_sparse_latents_lie_on_the_shell(active: int) -> None:
    z = sparse_latents(5, 40, active, torch.Generator().manual_seed(0))
    assert (z != 0).sum(1).tolist() == [active] * 5
    torch.testing.assert_close(relative_norm(z), torch.ones(5))
    with pytest.raises(FashionDGMError, match="between 1 and 40"):
        sparse_latents(1, 40, 41, torch.Generator())


def test_sizes_are_those_that_the_scales_hand_over() -> None:
    assert scale_sizes(make_flow()) == (32, 32)
    assert scale_sizes(make_flow(scales=1)) == (64,)
    assert scale_sizes(make_flow(scales=3)) == (32, 16, 16)
    with pytest.raises(FashionDGMError, match="no scales"):
        scale_sizes(Chain())
