r"""The losses of GAN and WGAN: the single source of truth for their signs.

With logits `l = logit D(x)`, `-log D(x) = softplus(-l)` and `-log(1 - D(x)) = softplus(l)`: no sigmoid is rounded to 0
or 1 on the way, so neither loss nor gradient is ever infinite.

References:
    Goodfellow et al., Generative Adversarial Nets (2014), eq. 1 and section 3.
    Arjovsky, Chintala and Bottou, Wasserstein GAN (2017), eq. 2 and algorithm 1.
    Gulrajani et al., Improved training of Wasserstein GANs (2017), eq. 3.
"""

# Derived in docs/theory/elbo.md, docs/theory/gan.md, docs/theory/vanishing-gradients.md and docs/theory/wasserstein.md.

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "GENERATOR_LOSSES",
    "between",
    "critic_generator_loss",
    "critic_loss",
    "discriminator_loss",
    "generator_loss",
    "gradient_penalty",
    "saturating_generator_loss",
    "slopes",
    "wasserstein_estimate",
]


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Returns `L_D = -E[log D(x)] - E[log(1 - D(G(z)))]`, a scalar, from logits `(N,)` each."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def generator_loss(fake_logits: Tensor) -> Tensor:
    """Returns the non-saturating `L_G = -E[log D(G(z))]`, a scalar, from logits `(N,)`."""
    return F.softplus(-fake_logits).mean()


def saturating_generator_loss(fake_logits: Tensor) -> Tensor:
    """Returns the minimax `L_G = E[log(1 - D(G(z)))]`, a scalar, from logits `(N,)`.

    It is what the discriminator maximises, up to a term without G; its gradient is that of the non-saturating loss times
    `D / (1 - D)`, next to nothing where the discriminator is sure.
    """
    return -F.softplus(fake_logits).mean()


GENERATOR_LOSSES: dict[str, Callable[[Tensor], Tensor]] = {
    "non_saturating": generator_loss,
    "saturating": saturating_generator_loss,
}


def critic_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Returns `L_D = -E[D(x)] + E[D(G(z))]`, a scalar, from unbounded critic scores `(N,)` each."""
    return fake_scores.mean() - real_scores.mean()


def critic_generator_loss(fake_scores: Tensor) -> Tensor:
    """Returns `L_G = -E[D(G(z))]`, a scalar, from unbounded critic scores `(N,)`."""
    return -fake_scores.mean()


def wasserstein_estimate(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Returns `E[D(x)] - E[D(G(z))]`: a lower bound on `K W_1` for a K-Lipschitz critic, K unknown under clipping."""
    return real_scores.mean() - fake_scores.mean()


def between(real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """Returns `mix * real + (1 - mix) * fake`, float32 points on the segments between two batches `(N, 1, 28, 28)`.

    Arguments:
        mix: in `[0, 1]`, `(N, 1, 1, 1)`.
    """
    return torch.lerp(fake.float(), real.float(), mix)


def slopes(critic: Callable[[Tensor], Tensor], points: Tensor) -> Tensor:
    """Returns the norms `|grad D(x)|` of the critic's gradient at each point, `(N,)`, differentiable in its weights.

    In float32 whatever the precision of training: a penalty on a rounded slope pulls the critic to rounding errors.

    Arguments:
        critic: maps points to one score each, `(N,)`; no point may influence the score of another.
        points: float32, `(N, 1, 28, 28)`.
    """
    with torch.autocast(points.device.type, enabled=False):
        points = points.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
        return gradient.flatten(1).norm(dim=1)


def gradient_penalty(slopes: Tensor) -> Tensor:
    """Returns `E[(|grad D(x)| - 1)^2]`, a scalar, from slopes `(N,)`: two-sided, as in the paper's experiments."""
    return (slopes - 1).square().mean()
