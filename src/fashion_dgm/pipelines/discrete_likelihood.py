"""The node that every pipeline which trains a flow ends in: the discrete likelihood of what was trained."""

from __future__ import annotations

from typing import Any

from fashion_dgm.config import DiscreteLikelihoodConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.types import Checkpoint

__all__ = ["estimate_discrete_likelihood"]


def estimate_discrete_likelihood(
    flow: Checkpoint, benchmark: ImageSet, config: DiscreteLikelihoodConfig
) -> dict[str, Any]:
    """Estimates how far bits/dim, an upper bound for 8-bit images, fall with more draws of noise."""
    import torch

    from fashion_dgm.flows.likelihood import discrete_likelihood
    from fashion_dgm.pipelines.models import load_flow
    from fashion_dgm.pipelines.tracking import log_discrete_likelihood

    found = discrete_likelihood(load_flow(flow, config.device), torch.from_numpy(benchmark.images), config).summary()
    log_discrete_likelihood(flow, found)
    return found
