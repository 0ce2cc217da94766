r"""The Dirac-GAN: all data lie at 0, the generator makes the point theta, the discriminator is `D(x) = psi x`.

The smallest adversarial training, in which convergence can be decided with pencil and paper. Losses are those of
`fashion_dgm.gans.objectives`, D being the logit or the critic's score; the equilibrium is `(theta, psi) = (0, 0)`.

References:
    Mescheder, Geiger and Nowozin, Which training methods for GANs do actually converge? (2018), sections 2 and 3.
"""

# Derived in docs/theory/convergence.md and docs/theory/wasserstein.md.

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from fashion_dgm.config import DiracConfig
from fashion_dgm.errors import FashionDGMError

__all__ = ["DiracGAN", "descend", "dirac_gans", "penalty_limit"]

Array = NDArray[np.float64]
Velocity = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class DiracGAN:
    """Two velocities, minus the gradients of the two losses, at theta and psi of any one shape.

    Arguments:
        generator: `-dL_G / dtheta`.
        discriminator: `-dL_D / dpsi`.
        bound: psi is clipped to `[-bound, bound]` after each step.
    """

    generator: Velocity
    discriminator: Velocity
    bound: float = math.inf

    def field(self, theta: ArrayLike, psi: ArrayLike) -> tuple[Array, Array]:
        """Returns both velocities in the limit of small steps: psi stands where it would leave its bound."""
        theta, psi = np.asarray(theta, dtype=np.float64), np.asarray(psi, dtype=np.float64)
        speed = self.discriminator(theta, psi)
        leaves = (np.abs(psi) >= self.bound) & (np.sign(speed) == np.sign(psi))
        return self.generator(theta, psi), np.where(leaves, 0.0, speed)


def dirac_gans(config: DiracConfig) -> dict[str, DiracGAN]:
    """Returns the GAN under either of the generator's losses, the WGAN, its two constraints, and the GAN with R1.

    R1 (Mescheder et al., 2018) adds `weight / 2 * |grad D|^2` at real images to the loss of the (non-saturating) GAN.
    """

    def gan(theta: Array, psi: Array) -> Array:
        return -theta * expit(theta * psi)

    def non_saturating(theta: Array, psi: Array) -> Array:
        return psi * expit(-theta * psi)

    def follow(theta: Array, psi: Array) -> Array:
        return psi + 0.0 * theta

    def critic(theta: Array, psi: Array) -> Array:
        return -theta + 0.0 * psi

    def penalised(theta: Array, psi: Array) -> Array:
        return -theta - 2.0 * config.gradient_penalty * (psi - np.sign(psi))

    return {
        "saturating": DiracGAN(lambda theta, psi: psi * expit(theta * psi), gan),
        "non_saturating": DiracGAN(non_saturating, gan),
        "wgan": DiracGAN(follow, critic),
        "clipped": DiracGAN(follow, critic, config.clip),
        "gradient_penalty": DiracGAN(follow, penalised),
        "r1": DiracGAN(non_saturating, lambda theta, psi: gan(theta, psi) - config.r1 * psi),
    }


def descend(
    model: DiracGAN,
    start: tuple[float, float],
    step_size: float,
    steps: int,
    discriminator_steps: int = 1,
    simultaneous: bool = False,
) -> Array:
    """Returns theta and psi before and after each of the generator's steps, `(steps + 1, 2)`.

    Arguments:
        discriminator_steps: before each of the generator's.
        simultaneous: the generator sees the discriminator as it was before its step; else, as in training, after it.

    Raises:
        FashionDGMError: if simultaneous steps are asked of a discriminator that takes several.
    """
    if simultaneous and discriminator_steps != 1:
        raise FashionDGMError("simultaneous steps are one of each network; let discriminator_steps be 1")
    theta, psi = (np.asarray(value, dtype=np.float64) for value in start)
    path, bounded = [(theta, psi)], math.isfinite(model.bound)
    for _ in range(steps):
        before = psi
        for _ in range(discriminator_steps):
            psi = psi + step_size * model.discriminator(theta, psi)
            if bounded:
                psi = np.clip(psi, -model.bound, model.bound)
        theta = theta + step_size * model.generator(theta, before if simultaneous else psi)
        path.append((theta, psi))
    return np.array(path)


def penalty_limit(weight: float, critic_steps: int = 1) -> tuple[float, bool]:
    """Returns how far from the data the generator of a WGAN-GP gets in the long run, and whether it cycles.

    In the limit of small steps, from anywhere but the equilibrium: the largest `|theta|` of a limit cycle where
    `weight * sqrt(critic_steps) < 1`, else the distance of the point at which it stops.
    """
    damping = weight * math.sqrt(critic_steps)
    if damping >= 1:
        return 2.0 * weight, False
    return 2.0 * weight / math.tanh(math.pi * damping / (2.0 * math.sqrt(1.0 - damping**2))), True
