from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from fashion_dgm.config import MixtureFlowConfig, RealNVPConfig, ResidualFlowConfig, SeriesConfig

COUPLINGS = {
    "scales": 2,
    "checkerboard_couplings": 2,
    "channel_couplings": 2,
    "hidden_channels": 6,
    "residual_blocks": 1,
    "logit_alpha": 1e-6,
}
RESIDUAL_BLOCKS = {
    "scales": 2,
    "blocks": 1,
    "hidden_channels": 4,
    "linear_blocks": 1,
    "linear_width": 3,
    "squeeze_first": True,
    "factor_out": False,
    "evaluation": SeriesConfig(exact_terms=5),
    "logit_alpha": 1e-6,
}


def realnvp_config(**changes: Any) -> RealNVPConfig:
    return RealNVPConfig(**{**COUPLINGS, **changes})


def mixture_config(**changes: Any) -> MixtureFlowConfig:
    return MixtureFlowConfig(**{**COUPLINGS, "components": 2, **changes})


def residual_config(**changes: Any) -> ResidualFlowConfig:
    return ResidualFlowConfig(**{**RESIDUAL_BLOCKS, **changes})


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
