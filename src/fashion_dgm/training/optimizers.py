"""Optimizers from their parameter blocks."""

from collections.abc import Iterable

import torch

from fashion_dgm.config import AdamConfig, AdamWConfig, OptimizerConfig, ScheduleConfig

__all__ = ["make_optimizer", "set_learning_rate"]


def make_optimizer(
    config: OptimizerConfig, parameters: Iterable[torch.nn.Parameter], fused: bool = True
) -> torch.optim.Optimizer:
    """Makes the optimizer that `config` names over `parameters`.

    A fused Adam is one pass over the weights instead of a dozen, on CPU and CUDA alike. RMSprop has no fused form;
    `foreach` batches its updates.
    """
    if isinstance(config, AdamConfig):
        return torch.optim.Adam(parameters, lr=config.learning_rate, betas=config.betas, fused=fused)
    if isinstance(config, AdamWConfig):
        return torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay, fused=fused)
    return torch.optim.RMSprop(parameters, lr=config.learning_rate, foreach=fused)


def set_learning_rate(optimizer: torch.optim.Optimizer, peak: float, schedule: ScheduleConfig, step: int) -> None:
    """Gives `optimizer` the learning rate of a step, counted from 0: a part of `peak`."""
    fraction = min(1.0, (step + 1) / (schedule.warmup_steps + 1))
    if schedule.half_life_steps is not None:
        fraction *= 0.5 ** (max(0, step - schedule.warmup_steps) / schedule.half_life_steps)
    if schedule.final_step is not None:
        fall = (schedule.final_step - step) / (schedule.final_step - schedule.warmup_steps - 1)
        fraction = max(0.0, min(fraction, fall))
    for group in optimizer.param_groups:
        group["lr"] = peak * fraction
