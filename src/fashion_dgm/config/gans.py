"""Parameters of the adversarial models."""

from __future__ import annotations

from pydantic import PositiveFloat, PositiveInt

from fashion_dgm.config.training import OptimizerConfig, TrainingConfig

__all__ = ["GANConfig", "WGANConfig"]


class GANConfig(TrainingConfig):
    """The assignment's GAN."""

    latent_dim: PositiveInt
    width: PositiveInt
    optimizer: OptimizerConfig
    snapshot_every: PositiveInt


class WGANConfig(GANConfig):
    """The assignment's WGAN: a critic under weight clipping."""

    n_critic: PositiveInt
    clip: PositiveFloat
