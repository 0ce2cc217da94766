"""Scores of a trained discriminator or critic under either of BatchNorm's statistics.

In training, BatchNorm normalises by the statistics of the batch, and real and generated images come in batches of their
own: the batch itself gives away which it is. In evaluation mode it normalises by running statistics, means over batches of
both kinds. The two are different functions of an image, and their scores cannot be compared.

References:
    Ioffe and Szegedy, Batch Normalization (2015), algorithm 2.
    Salimans et al., Improved Techniques for Training GANs (2016), section 3.4: outputs that depend on the batch.
"""

from __future__ import annotations

import copy
from typing import Literal, get_args

import torch
from torch import Tensor, nn

__all__ = ["STATISTICS", "Statistics", "score", "whole_batches"]

Statistics = Literal["running_stats", "batch_stats"]
STATISTICS: tuple[Statistics, ...] = get_args(Statistics)


@torch.no_grad()
def score(network: nn.Module, images: Tensor, batch_size: int, statistics: Statistics) -> Tensor:
    """Returns scores `(N,)` of images `(N, 1, 28, 28)` of one kind, in batches of `batch_size` in their order.

    All other layers are in evaluation mode. A copy does the work, so `network` keeps its state and its mode.

    Arguments:
        statistics: "running_stats" or, as in training, "batch_stats"; without BatchNorm they are the same.
    """
    network = copy.deepcopy(network).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.train(statistics == "batch_stats")
    return torch.cat([network(batch) for batch in images.split(batch_size)])


def whole_batches(images: Tensor, batch_size: int) -> Tensor:
    """Returns the first images, as many as fill batches; all of them where they are fewer than one batch."""
    return images[: max(1, len(images) // batch_size) * batch_size]
