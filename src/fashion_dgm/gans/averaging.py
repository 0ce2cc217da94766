"""The generator that a moving average of weights stands for.

BatchNorm's running statistics are those of the generator in training, whose activations differ from those of the averaged
weights while it still moves: measured on what the average itself makes, they fit. Samples drawn in evaluation mode are
better for it, most of all early on.

References:
    Izmailov et al., Averaging weights leads to wider optima and better generalization (2018), section 3.2.
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from fashion_dgm.config import AdversarialConfig
from fashion_dgm.gans.networks import Generator
from fashion_dgm.training.seeds import generator

__all__ = ["averaged_generator"]


@torch.no_grad()
def averaged_generator(average: Generator, config: AdversarialConfig) -> Generator:
    """Returns a copy of `average` in evaluation mode, with BatchNorm statistics of its own.

    They are means over batches as large as those of training, of about `config.records.samples` latents in all, the same
    ones every time.
    """
    network = copy.deepcopy(average)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    if not norms:
        return network.eval()
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        # All batches count alike.
        norm.momentum = None
    batches = max(1, config.records.samples // config.batch_size)
    latents = torch.randn(
        batches * config.batch_size, config.latent_dim, generator=generator(config.seed, "batch norm")
    ).to(next(network.parameters()).device)
    network.train()
    for part in latents.split(config.batch_size):
        network(part)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return network.eval()
