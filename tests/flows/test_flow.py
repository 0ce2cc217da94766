"""A flow is a bijection and a base distribution of its latents."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fashion_dgm.config import Config
from fashion_dgm.flows import BaseDistribution, Chain, Flow, Logit, MultiScale, StandardNormal


class Logistic(BaseDistribution):
    """The logistic distribution with a scale that can be learnt."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def log_prob(self, z: Tensor) -> Tensor:
        z = z / self.scale
        return (-z - 2 * F.softplus(-z) - self.scale.log()).sum(1)

    def sample(
        self, n: int, dimensions: int, generator: torch.Generator | None, device: torch.device, dtype: torch.dtype
    ) -> Tensor:
        uniform = torch.rand(n, dimensions, generator=generator, device=device, dtype=dtype)
        return self.scale * torch.logit(uniform)


def logistic_flow() -> Flow:
    shape = (1, 4, 4)
    return Flow(Config(), shape, Chain(Logit(1e-6), MultiScale([Chain()], [shape])), Logistic())


def test_logit_with_a_logistic_base_is_the_uniform_distribution() -> None:
    """The logistic is the distribution of the logit of a uniform number, so density and samples are known."""
    flow = logistic_flow().eval()
    images = 0.05 + 0.9 * torch.rand(20, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(flow.log_prob(images), torch.zeros(20), rtol=0, atol=1e-3)
    samples = flow.sample(4000, generator=torch.Generator().manual_seed(1))
    assert abs(samples.mean() - 1 / 2) < 0.01 and abs(samples.var() - 1 / 12) < 0.002


def test_a_base_distribution_is_learnt_with_the_flow() -> None:
    flow = logistic_flow()
    flow.log_prob(torch.full((2, 1, 4, 4), 0.9)).sum().backward()
    assert flow.base.scale.grad != 0
    assert "base.scale" in flow.state_dict()


def test_standard_normal_is_torchs() -> None:
    z = torch.randn(5, 7, dtype=torch.float64)
    expected = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1)
    torch.testing.assert_close(StandardNormal().log_prob(z), expected)
