r"""Objectives of adversarial training, pairs of losses: the single source of truth for their signs.

A new objective is a constant of this module: the lower case of its name is what `objective` in a parameter block names.

With logits `l = logit D(x)`, `-log D(x) = softplus(-l)` and `-log(1 - D(x)) = softplus(l)`: no sigmoid is rounded to 0
or 1 on the way, so neither loss nor gradient is ever infinite.

References:
    Goodfellow et al., Generative Adversarial Nets (2014), eq. 1 and section 3.
    Arjovsky, Chintala and Bottou, Wasserstein GAN (2017), eq. 2 and algorithm 1.
    Gulrajani et al., Improved training of Wasserstein GANs (2017), eq. 3.
    Mao et al., Least squares generative adversarial networks (2017), eq. 9.
    Miyato et al., Spectral normalization for generative adversarial networks (2018), eq. 16 and 17: hinge.
"""

# Derived in docs/theory/elbo.md, docs/theory/gan.md, docs/theory/vanishing-gradients.md and docs/theory/wasserstein.md.

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from fashion_dgm.errors import FashionDGMError

__all__ = [
    "HINGE",
    "LEAST_SQUARES",
    "NON_SATURATING",
    "OBJECTIVES",
    "SATURATING",
    "WASSERSTEIN",
    "Objective",
    "code_of",
    "critic_generator_loss",
    "critic_loss",
    "discriminator_loss",
    "generator_loss",
    "gradient_norms",
    "gradient_penalty",
    "hinge_loss",
    "interpolates",
    "least_squares_generator_loss",
    "least_squares_loss",
    "objective",
    "saturating_generator_loss",
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


def critic_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Returns `L_D = -E[D(x)] + E[D(G(z))]`, a scalar, from unbounded critic scores `(N,)` each."""
    return fake_scores.mean() - real_scores.mean()


def critic_generator_loss(fake_scores: Tensor) -> Tensor:
    """Returns `L_G = -E[D(G(z))]`, a scalar, from unbounded critic scores `(N,)`."""
    return -fake_scores.mean()


def wasserstein_estimate(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Returns `E[D(x)] - E[D(G(z))]`: a lower bound on `K W_1` for a K-Lipschitz critic, K unknown under clipping."""
    return real_scores.mean() - fake_scores.mean()


def least_squares_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Returns `L_D = E[(D(x) - 1)^2] / 2 + E[D(G(z))^2] / 2`, a scalar, from scores `(N,)` each."""
    return ((real_scores - 1).square().mean() + fake_scores.square().mean()) / 2


def least_squares_generator_loss(fake_scores: Tensor) -> Tensor:
    """Returns `L_G = E[(D(G(z)) - 1)^2] / 2`, a scalar, from scores `(N,)`."""
    return (fake_scores - 1).square().mean() / 2


def hinge_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Returns `L_D = E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]`, a scalar, from scores `(N,)` each."""
    return F.relu(1 - real_scores).mean() + F.relu(1 + fake_scores).mean()


@dataclass(frozen=True)
class Objective:
    """A pair of losses, and what a discriminator's scores mean under them.

    Arguments:
        discriminator: loss of the discriminator from the scores of real and of generated images, `(N,)` each.
        generator: loss of the generator from the scores of generated images, `(N,)`.
        threshold: images with a larger score are classified as real; None if scores classify nothing.
        probability: maps scores to the probability that an image is real; None if they have none.
        estimates: further statistics of the scores of real and of generated images, by name.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]
    threshold: float | None = None
    probability: Callable[[Tensor], Tensor] | None = None
    estimates: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = field(default_factory=dict)

    def batch_metrics(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Returns the metrics of a training step from its scores `(N,)` of real and of generated images."""
        metrics = {"score_real": real.mean(), "score_fake": fake.mean()}
        if self.probability is not None:
            metrics["probability_real"] = self.probability(real).mean()
            metrics["probability_fake"] = self.probability(fake).mean()
        if self.threshold is not None:
            metrics["accuracy_real"] = (real > self.threshold).float().mean()
            metrics["accuracy_fake"] = (fake < self.threshold).float().mean()
        return metrics | {name: estimate(real, fake) for name, estimate in self.estimates.items()}

    def diagnostics(self, seen: Tensor, unseen: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Returns diagnostics of the discriminator from its scores `(N,)` of training, held-out and generated images.

        All three under the same statistics of BatchNorm. If held-out images score worse than training images, the
        discriminator overfits.
        """
        metrics = {}
        if self.threshold is not None:
            metrics["accuracy_seen"] = (seen > self.threshold).float().mean()
            metrics["accuracy_held_out"] = (unseen > self.threshold).float().mean()
            metrics["accuracy_generated"] = (fake < self.threshold).float().mean()
        for name, estimate in (self.estimates or {"loss_discriminator": self.discriminator}).items():
            metrics[f"{name}_seen"] = estimate(seen, fake)
            metrics[f"{name}_held_out"] = estimate(unseen, fake)
        return metrics


NON_SATURATING = Objective(discriminator_loss, generator_loss, threshold=0.0, probability=torch.sigmoid)
SATURATING = Objective(discriminator_loss, saturating_generator_loss, threshold=0.0, probability=torch.sigmoid)
WASSERSTEIN = Objective(critic_loss, critic_generator_loss, estimates={"wasserstein_estimate": wasserstein_estimate})
LEAST_SQUARES = Objective(least_squares_loss, least_squares_generator_loss, threshold=0.5)
HINGE = Objective(hinge_loss, critic_generator_loss, threshold=0.0)

OBJECTIVES = {name.lower(): value for name, value in list(globals().items()) if isinstance(value, Objective)}
"""The objectives by name."""


def objective(name: str) -> Objective:
    """Returns an objective by name.

    Raises:
        FashionDGMError: if there is none of that name; the message lists what there is.
    """
    if name not in OBJECTIVES:
        raise FashionDGMError(f"there is no objective {name}; there are: {', '.join(OBJECTIVES)}")
    return OBJECTIVES[name]


def code_of(name: str) -> str:
    """Returns the definition of an objective as `code_version` takes it: its losses decide no other's training."""
    return f"{__name__}:{name.upper()}"


def interpolates(real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """Returns `mix * real + (1 - mix) * fake`, float32 points on the segments between two batches `(N, 1, 28, 28)`.

    Arguments:
        mix: in `[0, 1]`, `(N, 1, 1, 1)`.
    """
    return torch.lerp(fake.float(), real.float(), mix)


def gradient_norms(critic: Callable[[Tensor], Tensor], points: Tensor) -> Tensor:
    """Returns the norms `|grad D(x)|` of the critic's gradient at each point, `(N,)`, differentiable in its weights.

    In float32 whatever the precision of training: a penalty on a rounded norm pulls the critic to rounding errors.

    Arguments:
        critic: maps points to one score each, `(N,)`; no point may influence the score of another.
        points: float32, `(N, 1, 28, 28)`.
    """
    with torch.autocast(points.device.type, enabled=False):
        points = points.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
        return gradient.flatten(1).norm(dim=1)


def gradient_penalty(norms: Tensor) -> Tensor:
    """Returns `E[(|grad D(x)| - 1)^2]`, a scalar, from gradient norms `(N,)`: two-sided, as in the paper's experiments."""
    return (norms - 1).square().mean()
