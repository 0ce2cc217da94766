"""Nodes of `train_flow` and of other pipelines that train a flow."""

import dataclasses
from typing import Any

from fashion_dgm.config import (
    BackgroundFlowConfig,
    DiscreteLikelihoodConfig,
    FlowTrainingConfig,
    MixtureFlowTrainingConfig,
    NamedFlowTrainingConfig,
    OODConfig,
    ResidualFlowEvaluationConfig,
)
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.late import Checkpoint, DataFrame, Figure, StateStore, figures
from fashion_dgm.pipelines.tracking import log_discrete_likelihood, log_epoch

__all__ = [
    "draw_samples",
    "estimate_discrete_likelihood",
    "plot_history",
    "plot_samples",
    "train_background_flow",
    "train_flow",
    "train_mixture_flow",
    "train_named_flow",
]

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
    from fashion_dgm.training.distributed.launch import launch

    trained = launch(training.train_flow, config, log_epoch, data=train, test=test, store=store)
    return trained.flow, trained.earlier, pd.DataFrame(trained.history), dict(trained.metrics)


def train_background_flow(
    train: ImageSet, test: ImageSet, store: StateStore, config: BackgroundFlowConfig
) -> tuple[Checkpoint, DataFrame]:
    """Trains RealNVP on mutated images."""
    import pandas as pd

    from fashion_dgm.data.perturb import mutate
    from fashion_dgm.flows.training import fit_flow
    from fashion_dgm.training.distributed.launch import launch
    from fashion_dgm.training.seeds import derive_seed

    noised, held_out = (
        ImageSet(mutate(images.images, config.mutation_rate, derive_seed(config.seed, "mutate", name)), images.labels)
        for name, images in (("train", train), ("test", test))
    )
    fitted = launch(fit_flow, config, log_epoch, data=noised, test=held_out, store=store)
    # Compared with the training split wherever the flow is evaluated.
    origin = {**fitted.flow.training, "data_sha256": train.sha256}
    return dataclasses.replace(fitted.flow, training=origin), pd.DataFrame(fitted.history)


def estimate_discrete_likelihood(
    flow: Checkpoint, benchmark: ImageSet, config: DiscreteLikelihoodConfig
) -> dict[str, Any]:
    """Estimates how far bits/dim, an upper bound for 8-bit images, fall with more draws of noise."""
    import torch

    from fashion_dgm.flows.likelihood import discrete_likelihood
    from fashion_dgm.registry import load_flow

    found = discrete_likelihood(load_flow(flow, config.device), torch.from_numpy(benchmark.images), config).summary()
    log_discrete_likelihood(flow, found)
    return found


def plot_history(history: DataFrame) -> Figure:
    """Draws bits/dim by epoch."""
    return figures.flow_curve(history)


def plot_samples(flow: Checkpoint, config: OODConfig) -> Figure:
    """Draws samples of the flow at each temperature, from the same latents."""
    return draw_samples(flow, config)


def draw_samples(flow: Checkpoint, config: OODConfig | ResidualFlowEvaluationConfig) -> Figure:
    """Draws as many samples as `config` asks for, at its temperatures."""
    from fashion_dgm.registry import load_flow
    from fashion_dgm.training.seeds import generator

    model = load_flow(flow, "cpu")
    samples = {
        temperature: model.sample(config.samples, temperature, generator(config.seed, "samples")).numpy()
        for temperature in config.temperatures
    }
    return figures.flow_samples(samples, columns=10)
