"""Nodes of `train_gan`, and of every other pipeline that trains a generator and a discriminator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fashion_dgm.config import AdversarialConfig, GANConfig, ReportConfig, WGANConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.late import Checkpoint, DataFrame, Figure, Snapshots, StateStore, figures
from fashion_dgm.pipelines.tracking import log_epoch, log_samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["animate_snapshots", "plot_snapshots", "train_gan", "train_wgan"]

Trained = tuple[Checkpoint, Checkpoint, dict[int, Checkpoint], DataFrame, dict[str, Any]]


def train_gan(train: ImageSet, test: ImageSet, classifier: Checkpoint, store: StateStore, config: GANConfig) -> Trained:
    """Trains the GAN that its parameters describe: the assignment's, or one with another objective."""
    return _train(train, test, classifier, store, config)


def train_wgan(
    train: ImageSet, test: ImageSet, classifier: Checkpoint, store: StateStore, config: WGANConfig
) -> Trained:
    """Trains the WGAN that its parameters describe."""
    return _train(train, test, classifier, store, config)


def _train(
    train: ImageSet, test: ImageSet, classifier: Checkpoint, store: StateStore, config: AdversarialConfig
) -> Trained:
    """Returns generator, discriminator, snapshots, history and final metrics.

    If training kept a moving average of the generator, that is the generator.
    """
    import pandas as pd

    from fashion_dgm.gans.evaluation import EvaluationData
    from fashion_dgm.gans.training import final_metrics, train_gan
    from fashion_dgm.training.distributed.launch import launch

    trained = launch(
        train_gan, config, log_epoch, data=train, store=store, evaluation_data=EvaluationData(test, classifier)
    )
    metrics = final_metrics(trained, config)
    return trained.evaluated, trained.discriminator, trained.snapshots, pd.DataFrame(trained.history), metrics


def plot_snapshots(snapshots: Snapshots, config: ReportConfig) -> Figure:
    """Draws what the generator makes of the same latents, epoch by epoch."""
    return figures.snapshot_strip(_samples(snapshots, config.grid_columns, config.seed))


def animate_snapshots(model: str, snapshots: Snapshots, config: ReportConfig) -> bytes:
    """Animates what the generator of `model` makes of the same latents, and logs each epoch's as an image."""
    from fashion_dgm.reporting.animation import animation

    samples = _samples(snapshots, config.grid_columns * config.animation_rows, config.seed)
    log_samples(model, snapshots, samples, config.grid_columns)
    return animation(samples, config.grid_columns, config.animation_milliseconds)


def _samples(snapshots: Snapshots, n: int, seed: int) -> dict[int, NDArray]:
    """Returns what each epoch's generator makes of the same `n` latents: floats in `[0, 1]`, `(n, 1, 28, 28)`."""
    from fashion_dgm.gans.networks import Generator
    from fashion_dgm.registry import build_model
    from fashion_dgm.training.seeds import generator

    samples = {}
    for epoch, load in snapshots.items():
        network = build_model(load(), "Generator")
        assert isinstance(network, Generator)
        samples[epoch] = network.sample(n, generator(seed, "strip")).numpy()
    return samples
