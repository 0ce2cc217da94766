"""Training of GAN and WGAN from their parameters to their checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from fashion_dgm.checkpoint import Checkpoint, checkpoint_of
from fashion_dgm.config import GANConfig, WGANConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.gans.steps import AdversarialStep, GANStep, WGANStep
from fashion_dgm.training.epoch import EpochRow
from fashion_dgm.training.loop import OnEpoch, train
from fashion_dgm.training.store import StateStore

__all__ = ["TrainedGAN", "train_gan", "train_wgan"]

PACKAGES = ("fashion_dgm.gans", "fashion_dgm.training")


@dataclass(frozen=True)
class TrainedGAN:
    """Both networks, the history, and the generator at chosen epochs."""

    generator: Checkpoint
    discriminator: Checkpoint
    history: list[EpochRow]
    snapshots: dict[int, Checkpoint]


def train_gan(data: ImageSet, config: GANConfig, store: StateStore, on_epoch: OnEpoch) -> TrainedGAN:
    """Trains the assignment's GAN on `data`; see `training.loop.train` for `store` and `on_epoch`."""
    return _train(lambda device, precision: GANStep(config, device, precision), data, config, store, on_epoch)


def train_wgan(data: ImageSet, config: WGANConfig, store: StateStore, on_epoch: OnEpoch) -> TrainedGAN:
    """Trains the assignment's WGAN on `data`; an epoch is one pass of the critic."""
    return _train(lambda device, precision: WGANStep(config, device, precision), data, config, store, on_epoch)


def _train(
    make_step: Callable[[torch.device, torch.dtype], AdversarialStep],
    data: ImageSet,
    config: GANConfig,
    store: StateStore,
    on_epoch: OnEpoch,
) -> TrainedGAN:
    def wanted(epoch: int) -> bool:
        return epoch in (1, config.epochs) or epoch % config.snapshot_every == 0

    run = train(
        make_step,
        data,
        config,
        store,
        PACKAGES,
        snapshot=lambda step, epoch: step.generator.state_dict() if wanted(epoch) else None,
        on_epoch=on_epoch,
    )
    generator = {"latent_dim": config.latent_dim, "width": config.width}
    origin = {"seed": config.seed, "data_sha256": data.sha256}
    return TrainedGAN(
        generator=checkpoint_of(run.step.generator, "Generator", generator, {**origin, "epoch": config.epochs}),
        discriminator=checkpoint_of(
            run.step.discriminator, "Discriminator", {"width": config.width}, {**origin, "epoch": config.epochs}
        ),
        history=run.history,
        # A run that was extended also holds the last epoch of the shorter one.
        snapshots={
            epoch: checkpoint_of(weights, "Generator", generator, {**origin, "epoch": epoch})
            for epoch, weights in sorted(run.snapshots.items())
            if wanted(epoch)
        },
    )
