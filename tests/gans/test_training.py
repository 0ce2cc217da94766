"""Short histories of the assignment's models and their variants, as they were when each had a step of its own."""

from pathlib import Path
from typing import Any

import pytest

from fashion_dgm.config import AdversarialConfig
from fashion_dgm.gans.training import train_gan
from fashion_dgm.training.store import StateStore
from tests.conftest import made_up_images
from tests.small import PENALTY, SPECTRAL, gan_config, wgan_config

COMMON: dict[str, Any] = {"epochs": 2, "latent_dim": 10, "images_per_epoch": 160}
ADAM = {"name": "adam", "learning_rate": 2e-4, "betas": (0.5, 0.999)}
VARIANT = {"n_discriminator": 3, "objective": "saturating", "ema_decay": 0.9, "lipschitz": SPECTRAL}
CLIPPED = {
    "optimizer": {"name": "rmsprop", "learning_rate": 2e-4},
    "warmup": {"critic_steps": 4, "generator_steps": 1, "every": 3},
}
PENALISED = {"optimizer": ADAM, "lipschitz": PENALTY, "normalisation": {"discriminator": "layer"}}
HISTORIES = {
    "gan": (gan_config(**COMMON, optimizer=ADAM), 0.865317440, 1.091438103, 1.101672173),
    "variant": (gan_config(**COMMON, optimizer=ADAM, **VARIANT), 0.335783935, -0.136882027, 0.794347604),
    "wgan": (wgan_config(**COMMON, **CLIPPED), -5.22921036e-05, 5.31694289e-05, 1.33179895e-04),
    "wgan_gp": (wgan_config(**COMMON, **PENALISED), -0.733412409, 0.815264304, 0.662794511),
}


@pytest.mark.slow
@pytest.mark.parametrize(("config", "discriminator", "generator", "norm"), HISTORIES.values(), ids=HISTORIES)
def test_training_is_what_it_was(
    config: AdversarialConfig, discriminator: float, generator: float, norm: float, tmp_path: Path
) -> None:
    train = made_up_images(200, seed=0)
    last = train_gan(train, config, StateStore(tmp_path / "state"), lambda row, seconds: None).history[-1]
    found = [last[name] for name in ("loss_discriminator", "loss_generator", "gradient_norm_generator")]
    # Processors differ in the order of their sums.
    assert found == pytest.approx([discriminator, generator, norm], rel=1e-3)
