r"""The gradient that a discriminator gives to a generator, its size and its noise, under each loss.

References:
    Arjovsky and Bottou, Towards principled methods for training generative adversarial networks (2017), figures 2 and 3.
"""

# Derived in docs/theory/vanishing-gradients.md.

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fashion_dgm.errors import FashionDGMError

__all__ = ["GradientStatistics", "gradient_statistics"]


@dataclass(frozen=True)
class GradientStatistics:
    """Of the gradient with respect to all parameters of the generator, over batches of latents.

    Arguments:
        norm: mean over the batches of the gradient's Euclidean norm.
        signal: norm of the mean gradient.
        variance: sum over the parameters of the unbiased variance between batches.
    """

    norm: float
    signal: float
    variance: float


def gradient_statistics(
    generator: nn.Module, discriminator: nn.Module, loss: Callable[[Tensor], Tensor], latents: Tensor
) -> GradientStatistics:
    """Measures the generator's gradient of `loss(discriminator(generator(z)))`; neither network learns anything.

    Arguments:
        loss: maps logits or scores `(B,)` to a scalar.
        latents: K batches, `(K, B, latent_dim)`.

    Raises:
        FashionDGMError: if there are fewer than two batches, which have no variance.
    """
    if len(latents) < 2:
        raise FashionDGMError("the variance of a gradient needs at least two batches")
    parameters = [parameter for parameter in generator.parameters() if parameter.requires_grad]
    gradients = []
    for batch in latents:
        parts = torch.autograd.grad(loss(discriminator(generator(batch))), parameters)
        # In double precision, for a gradient that has all but vanished is of interest here.
        gradients.append(torch.cat([part.flatten() for part in parts]).double())
    stacked = torch.stack(gradients)
    return GradientStatistics(
        norm=float(stacked.norm(dim=1).mean()),
        signal=float(stacked.mean(dim=0).norm()),
        variance=float(stacked.var(dim=0, unbiased=True).sum()),
    )
