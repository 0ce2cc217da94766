"""Nodes of `train_flow` and, but for their parameters, of other flows with an exact log-determinant."""

from __future__ import annotations

from typing import Any

from fashion_dgm.config import FlowTrainingConfig, MixtureFlowTrainingConfig, NamedFlowTrainingConfig, OODConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.types import Checkpoint, DataFrame, Figure, StateStore

__all__ = ["plot_history", "plot_samples", "train_flow", "train_mixture_flow", "train_named_flow"]

Trained = tuple[Checkpoint, dict[int, Checkpoint], DataFrame, dict[str, Any]]


def train_flow(train: ImageSet, test: ImageSet, store: StateStore, config: FlowTrainingConfig) -> Trained:
    """Trains RealNVP."""
    return _train(train, test, store, config)


def train_mixture_flow(
    train: ImageSet, test: ImageSet, store: StateStore, config: MixtureFlowTrainingConfig
) -> Trained:
    """Trains the mixture flow as RealNVP is trained."""
    return _train(train, test, store, config)


def train_named_flow(train: ImageSet, test: ImageSet, store: StateStore, config: NamedFlowTrainingConfig) -> Trained:
    """Trains the flow that its parameters name."""
    return _train(train, test, store, config)


def _train(
    train: ImageSet,
    test: ImageSet,
    store: StateStore,
    config: FlowTrainingConfig | MixtureFlowTrainingConfig | NamedFlowTrainingConfig,
) -> Trained:
    """Returns the flow, the same after earlier epochs, its history and metrics."""
    import pandas as pd

    from fashion_dgm.flows import training
    from fashion_dgm.pipelines.tracking import log_epoch
    from fashion_dgm.training.distributed.launch import launch

    trained = launch(training.train_flow, config, log_epoch, data=train, test=test, store=store)
    metrics = {
        "architecture": trained.flow.architecture,
        "epochs": len(trained.history),
        "images_seen": trained.flow.training["images"],
        "parameters": trained.parameters,
        "train_bits_per_dim": trained.train_bits_per_dim,
        "test_bits_per_dim": trained.test_bits_per_dim,
        "reconstruction_error": trained.reconstruction_error,
    }
    return trained.flow, trained.earlier, pd.DataFrame(trained.history), metrics


def plot_history(history: DataFrame) -> Figure:
    """Draws bits/dim by epoch."""
    from fashion_dgm.reporting.figures import flow_curve

    return flow_curve(history)


def plot_samples(flow: Checkpoint, config: OODConfig) -> Figure:
    """Draws samples of the flow at each temperature, from the same latents."""
    from fashion_dgm.pipelines.models import load_flow
    from fashion_dgm.reporting.figures import flow_samples
    from fashion_dgm.training.seeds import generator

    model = load_flow(flow, "cpu")
    samples = {
        f"T = {temperature:g}": model.sample(config.samples, temperature, generator(config.seed, "samples")).numpy()
        for temperature in config.temperatures
    }
    return flow_samples(samples, columns=10)
