r"""The losses of GAN and WGAN: the single source of truth for their signs.

With logits `l = logit D(x)`, `-log D(x) = softplus(-l)` and `-log(1 - D(x)) = softplus(l)`: no sigmoid is rounded to 0
or 1 on the way, so neither loss nor gradient is ever infinite.

References:
    Goodfellow et al., Generative Adversarial Nets (2014), eq. 1 and section 3.
    Arjovsky, Chintala and Bottou, Wasserstein GAN (2017), eq. 2 and algorithm 1.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "critic_generator_loss",
    "critic_loss",
    "discriminator_loss",
    "generator_loss",
    "wasserstein_estimate",
]


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Returns `L_D = -E[log D(x)] - E[log(1 - D(G(z)))]`, a scalar, from logits `(N,)` each."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def generator_loss(fake_logits: Tensor) -> Tensor:
    """Returns the non-saturating `L_G = -E[log D(G(z))]`, a scalar, from logits `(N,)`."""
    return F.softplus(-fake_logits).mean()


def critic_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Returns `L_D = -E[D(x)] + E[D(G(z))]`, a scalar, from unbounded critic scores `(N,)` each."""
    return fake_scores.mean() - real_scores.mean()


def critic_generator_loss(fake_scores: Tensor) -> Tensor:
    """Returns `L_G = -E[D(G(z))]`, a scalar, from unbounded critic scores `(N,)`."""
    return -fake_scores.mean()


def wasserstein_estimate(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Returns `E[D(x)] - E[D(G(z))]`: a lower bound on `K W_1` for a K-Lipschitz critic, K unknown under clipping."""
    return real_scores.mean() - fake_scores.mean()
