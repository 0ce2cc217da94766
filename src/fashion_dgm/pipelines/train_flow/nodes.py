"""Nodes of `train_flow` and, but for their parameters, of `train_mixture_flow`."""

from __future__ import annotations

from typing import Any

from fashion_dgm.config import CouplingFlowTrainingConfig, FlowTrainingConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.types import Checkpoint, DataFrame, Figure, StateStore

__all__ = ["plot_history", "train_coupling_flow", "train_flow"]

Trained = tuple[Checkpoint, dict[int, Checkpoint], DataFrame, dict[str, Any]]


def train_flow(train: ImageSet, test: ImageSet, store: StateStore, config: FlowTrainingConfig) -> Trained:
    """Trains RealNVP."""
    return train_coupling_flow(train, test, store, config)


def train_coupling_flow(
    train: ImageSet, test: ImageSet, store: StateStore, config: CouplingFlowTrainingConfig
) -> Trained:
    """Trains the flow that `config` describes; returns it, the same after earlier epochs, its history and metrics."""
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
