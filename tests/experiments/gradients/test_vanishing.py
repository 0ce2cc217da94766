import copy
import math

import numpy as np
import pandas as pd
import pytest
import torch
from tests.conftest import made_up_images
from tests.small import PENALTY, gan_config, wgan_config

from fashion_dgm.checkpoint import checkpoint_of
from fashion_dgm.config import VanishingGradientsConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.experiments.gradients.vanishing import (
    chosen_epochs,
    gradient_statistics,
    measurement_steps,
    summarise_gradients,
    train_discriminators,
)
from fashion_dgm.gans.networks import Discriminator, Generator
from fashion_dgm.gans.objectives import objective

LOSSES = {name: objective(name).generator for name in ("non_saturating", "saturating", "wasserstein")}

GAN = gan_config(latent_dim=4, width=2, optimizer={"name": "adam", "learning_rate": 2e-3, "betas": (0.5, 0.999)})
CRITIC = wgan_config(
    latent_dim=4,
    width=2,
    optimizer={"name": "adam", "learning_rate": 1e-3, "betas": (0.5, 0.9)},
    lipschitz=PENALTY,
    normalisation={"discriminator": "none"},
    warmup={"critic_steps": 3, "generator_steps": 2, "every": 4},
)
STUDY = VanishingGradientsConfig(
    snapshots=1,
    seeds=2,
    steps=10,
    batch_size=16,
    gradient_batches=2,
    uniforms={"shifts": [0.0], "samples": 100, "bins": 10, "repetitions": 2},
    dirac={"start": (1, 0), "step_size": 0.1, "steps": 5, "clip": 1, "gradient_penalty": 1, "r1": 1},
    seed=3,
    device="cpu",
)


def test_statistics_are_those_of_gradients_computed_one_by_one() -> None:
    """docs/theory/vanishing-gradients.md#the-non-saturating-gradient-can-have-infinite-variance"""
    made, discriminator = Generator(4, 2), Discriminator(2)
    latents = torch.randn(5, 8, 4)
    gradients = []
    for batch in latents:
        made.zero_grad()
        LOSSES["non_saturating"](discriminator(made(batch))).backward()
        gradients.append(np.concatenate([p.grad.numpy().ravel() for p in made.parameters()]))  # type: ignore[union-attr]
    found = gradient_statistics(made, discriminator, LOSSES["non_saturating"], latents)
    stacked = np.array(gradients, dtype=np.float64)
    assert found["norm"] == pytest.approx(np.linalg.norm(stacked, axis=1).mean(), rel=1e-4)
    assert found["signal"] == pytest.approx(np.linalg.norm(stacked.mean(axis=0)), rel=1e-4)
    assert found["variance"] == pytest.approx(stacked.var(axis=0, ddof=1).sum(), rel=1e-4)
    with pytest.raises(FashionDGMError, match="two batches"):
        gradient_statistics(made, discriminator, LOSSES["non_saturating"], latents[:1])


def test_the_generator_is_frozen_and_the_study_repeats_itself() -> None:
    trained = checkpoint_of(Generator(4, 3), "Generator", {"latent_dim": 4, "width": 3})
    before = copy.deepcopy(trained.weights)
    images = made_up_images(60, 0)
    seen = []
    table = train_discriminators(images, {7: lambda: trained}, STUDY, GAN, CRITIC, lambda *at: seen.append(at[:2]))
    assert seen == [(0, 3), (0, 4), (7, 3), (7, 4)]
    torch.testing.assert_close(trained.weights, before, rtol=0, atol=0)
    assert len(table) == 2 * 2 * len(LOSSES) * len(measurement_steps(10))
    again = train_discriminators(images, {7: lambda: trained}, STUDY, GAN, CRITIC)
    pd.testing.assert_frame_equal(table, again)
    # Discriminators do learn meanwhile: on made-up images with BatchNorm they are soon sure.
    losses = table[(table["loss"] == "saturating") & (table["epoch"] == 7)].groupby("step")["loss_discriminator"].mean()
    assert losses[10] < 0.7 * losses[1]
    summary = summarise_gradients(table)
    assert set(summary) == {"0", "7"} and set(summary["7"]) == set(LOSSES)


def test_summary_counts_in_decades() -> None:
    rows = [
        {"epoch": 0, "seed": seed, "loss": "saturating", "step": step, "norm": norm, "variance": norm**2, "signal": 1.0}
        for seed in (0, 1)
        for step, norm in zip((0, 1, 10, 100), (1e-3, 10.0, 100.0, 10.0 ** -(1 + seed)), strict=True)
    ]
    found = summarise_gradients(pd.DataFrame(rows))["0"]["saturating"]
    assert found["norm"]["mean"] == pytest.approx(-1.5)
    assert found["change"]["mean"] == pytest.approx(-2.5)
    assert found["lost"] == {"mean": pytest.approx(3.5), "sd": pytest.approx(math.sqrt(0.5))}
    assert found["variance_change"]["mean"] == pytest.approx(-5)


def test_which_epochs_and_steps_are_looked_at() -> None:
    assert chosen_epochs([9, 1, 5, 3], 2) == [1, 9]
    assert chosen_epochs([1, 2, 3, 4, 5], 3) == [1, 3, 5]
    assert chosen_epochs([4, 6], 1) == [6]
    assert chosen_epochs([6], 5) == [6]
    assert chosen_epochs([], 2) == []
    assert measurement_steps(10) == [0, 1, 2, 5, 10]
    assert measurement_steps(300) == [0, 1, 2, 5, 10, 20, 50, 100, 200, 300]


def test_a_batch_larger_than_the_set_is_refused() -> None:
    with pytest.raises(FashionDGMError, match="a batch of 16 is larger than the set of 15 images"):
        train_discriminators(made_up_images(15, 0), {}, STUDY, GAN, CRITIC)
