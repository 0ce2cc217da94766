"""GAN and WGAN, trained by their steps, learn a distribution that is known."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats

from fashion_dgm.config import AdversarialConfig
from tests.small import gan_config, make_step, wgan_config

# How often the right half is lit and not the left one.
RIGHT = 0.3


def draw(n: int, seed: int) -> torch.Tensor:
    """One half is lit, at N(160, 20^2) grey levels, the other one is black."""
    rng = np.random.default_rng(seed)
    right, level = rng.random(n) < RIGHT, rng.normal(160, 20, n)
    halves = np.where(np.stack([~right, right], 1), level[:, None], 0).clip(0, 255)
    return torch.from_numpy(np.tile(halves.repeat(14, axis=1)[:, None, None], (1, 1, 28, 1)).astype(np.uint8))


def sides(images: torch.Tensor) -> NDArray[np.float64]:
    """How much lighter the right half is than the left one, `(N,)`, in `[-1, 1]`."""
    means = images.double().unflatten(3, (2, 14)).mean((1, 2, 4))
    return (means[:, 1] - means[:, 0]).numpy()


GAN = gan_config(latent_dim=4, optimizer={"name": "adam", "learning_rate": 3e-3, "betas": (0.5, 0.999)})
RMSPROP, CLIP = {"name": "rmsprop", "learning_rate": 2e-3}, {"name": "clip", "bound": 0.03}
WGAN = wgan_config(latent_dim=4, optimizer=RMSPROP, lipschitz=CLIP, n_critic=2)


@pytest.mark.slow
@pytest.mark.parametrize(("config", "steps"), [(GAN, 300), (WGAN, 360)], ids=["gan", "wgan"])
def test_learns_a_known_distribution_of_two_modes(config: AdversarialConfig, steps: int) -> None:
    """By the Wasserstein distance on the line of `sides`, whose law is known: N(0.63, 0.08^2), in 7 of 10 with a minus.

    A generator that has collapsed to the commoner mode is at 0.38, one that makes the mean of all images at 0.53, an
    untrained one, all grey, at 0.63; two sets of real images are at 0.01. The limit is half of what collapse costs. With
    seeds 0, 1 and 2 the distances were 0.06 to 0.13.
    """
    true = sides(draw(4000, 10**6) / 255)
    collapsed = stats.wasserstein_distance(true[true < 0], true)
    step = make_step(config)

    def distance() -> float:
        return stats.wasserstein_distance(sides(step.generator.sample(1000, torch.Generator().manual_seed(1))), true)

    assert distance() > collapsed
    for number in range(steps):
        step.step(draw(32, number), torch.zeros(32))
    assert distance() < collapsed / 2
    made = sides(step.generator.sample(1000, torch.Generator().manual_seed(1)))
    assert (made > 0).mean() == pytest.approx(RIGHT, abs=0.15)
