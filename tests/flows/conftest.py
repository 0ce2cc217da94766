from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from fashion_dgm.config import RealNVPConfig

MakeConfig = Callable[..., RealNVPConfig]


@pytest.fixture
def make_config() -> MakeConfig:
    def make(**changes: float) -> RealNVPConfig:
        small = {
            "scales": 2,
            "checkerboard_couplings": 2,
            "channel_couplings": 2,
            "hidden_channels": 6,
            "residual_blocks": 1,
            "logit_alpha": 1e-6,
        }
        return RealNVPConfig(**{**small, **changes})

    return make


@pytest.fixture
def perturb() -> Callable[[nn.Module], nn.Module]:
    """Moves every parameter off its start, so that couplings and ActNorm are no identities."""

    def move(module: nn.Module, size: float = 0.1) -> nn.Module:
        generator = torch.Generator().manual_seed(7)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter += size * torch.randn(parameter.shape, generator=generator)
        return module

    return move
