"""Nodes of `log_det_study`."""

from typing import Any

from fashion_dgm.config import LogDetStudyConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.late import Checkpoint, DataFrame, Figure, figures

__all__ = [
    "measure_estimators",
    "plot_probes",
    "plot_roulette_bias",
    "plot_roulette_budget",
    "plot_roulette_variance",
    "plot_truncation",
    "summarise_estimators",
]


def measure_estimators(
    residual_flow: Checkpoint | None, test: ImageSet, config: LogDetStudyConfig
) -> tuple[DataFrame, ...]:
    """Evaluates every estimator on random blocks and, where a Residual Flow was trained, on its layers."""
    import pandas as pd
    import torch

    from fashion_dgm.experiments.log_det import TABLES
    from fashion_dgm.experiments.log_det.blocks import trained_blocks, widest
    from fashion_dgm.experiments.log_det.study import random_blocks, study
    from fashion_dgm.flows import ResidualFlow
    from fashion_dgm.registry import build_model
    from fashion_dgm.training.device import resolve_device

    largest = max(config.dimensions)
    parts = [
        study(
            random_blocks(config),
            config,
            config.draws,
            config.terms,
            lambda block: block.dimension == largest and block.lipschitz == config.focus,
        )
    ]
    if residual_flow is not None:
        flow = build_model(residual_flow, "ResidualFlow")
        assert isinstance(flow, ResidualFlow)
        images = torch.from_numpy(test.images[: config.trained_images])
        blocks = trained_blocks(flow, images, config.seed, resolve_device(config.device))
        focus = widest(blocks)
        parts.append(study(blocks, config, config.trained_draws, config.trained_terms, lambda block: block is focus))
    return tuple(pd.concat([part[name] for part in parts], ignore_index=True) for name in TABLES)


def summarise_estimators(
    blocks: DataFrame, truncation: DataFrame, probes: DataFrame, estimators: DataFrame, config: LogDetStudyConfig
) -> dict[str, Any]:
    """Tests what was measured against theory, and says where which estimator is better."""
    from fashion_dgm.experiments.log_det.summary import summarise

    found = summarise(blocks, truncation, estimators, config.confidence, set(probes["block"]))
    return {"draws": config.draws, "trained_draws": config.trained_draws, **found}


def plot_truncation(truncation: DataFrame) -> Figure:
    """Draws the error of the truncated series with its bound."""
    return figures.log_det_truncation(truncation)


def plot_probes(probes: DataFrame, blocks: DataFrame) -> Figure:
    """Draws the variance of both kinds of probe."""
    return figures.log_det_probes(probes, blocks)


def plot_roulette_bias(estimators: DataFrame, probes: DataFrame) -> Figure:
    """Draws the mean error of every estimator."""
    return figures.roulette_bias(_in_focus(estimators, probes))


def plot_roulette_variance(
    costs: DataFrame, estimators: DataFrame, tails: DataFrame, probes: DataFrame, config: LogDetStudyConfig
) -> Figure:
    """Draws the roulette's deviation over its cost, and what rare long series add to it."""
    return figures.roulette_variance(costs, _in_focus(estimators, probes), tails, config.draws)


def plot_roulette_budget(budgets: DataFrame) -> Figure:
    """Draws the error of truncation and roulette at equal cost."""
    return figures.roulette_budget(budgets)


def _in_focus(estimators: DataFrame, probes: DataFrame) -> DataFrame:
    return estimators[estimators["block"].isin(set(probes["block"]))]
