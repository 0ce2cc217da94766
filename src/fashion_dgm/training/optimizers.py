"""Optimizers from their parameter blocks."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from fashion_dgm.config import AdamConfig, OptimizerConfig

__all__ = ["make_optimizer"]


def make_optimizer(
    config: OptimizerConfig, parameters: Iterable[torch.nn.Parameter], fused: bool = True
) -> torch.optim.Optimizer:
    """Makes the optimizer that `config` names over `parameters`.

    A fused Adam is one pass over the weights instead of a dozen, on CPU and CUDA alike. RMSprop has no fused form;
    `foreach` batches its updates.
    """
    if isinstance(config, AdamConfig):
        return torch.optim.Adam(parameters, lr=config.learning_rate, betas=config.betas, fused=fused)
    return torch.optim.RMSprop(parameters, lr=config.learning_rate, foreach=fused)
