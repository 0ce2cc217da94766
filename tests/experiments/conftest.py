from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from fashion_dgm.config import MixtureFlowConfig, RealNVPConfig
from fashion_dgm.flows import MixtureFlow, RealNVP

MakeFlow = Callable[..., RealNVP | MixtureFlow]


@pytest.fixture
def make_flow() -> MakeFlow:
    """Makes a small flow in float64, a mixture flow if `components` are given.

    `size` moves its parameters off the identity that couplings begin as.
    """

    def make(shape: tuple[int, int, int] = (1, 8, 8), size: float = 0.2, **changes: object) -> RealNVP | MixtureFlow:
        settings = {"scales": 2, "checkerboard_couplings": 2, "channel_couplings": 2, "hidden_channels": 5}
        settings |= {"residual_blocks": 1, "logit_alpha": 1e-6, **changes}
        torch.manual_seed(0)
        flow = (
            MixtureFlow(MixtureFlowConfig(**settings), shape)
            if "components" in changes
            else RealNVP(RealNVPConfig(**settings), shape)
        )
        flow = flow.double().eval()
        generator = torch.Generator().manual_seed(7)
        with torch.no_grad():
            for parameter in flow.parameters():
                parameter += size * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        return flow

    return make
