"""Nodes of `train_residual_flow`."""

from typing import Any

from fashion_dgm.config import ResidualFlowEvaluationConfig, ResidualFlowTrainingConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.late import Checkpoint, DataFrame, Figure, StateStore
from fashion_dgm.pipelines.tracking import log_epoch
from fashion_dgm.pipelines.train_flow.nodes import draw_samples

__all__ = ["evaluate_residual_flow", "plot_samples", "train_residual_flow"]


def train_residual_flow(
    train: ImageSet, test: ImageSet, store: StateStore, config: ResidualFlowTrainingConfig
) -> tuple[Checkpoint, DataFrame]:
    """Trains Residual Flow."""
    import pandas as pd

    from fashion_dgm.flows.training import fit_flow
    from fashion_dgm.training.distributed.launch import launch

    fitted = launch(fit_flow, config, log_epoch, data=train, test=test, store=store)
    return fitted.flow, pd.DataFrame(fitted.history)


def evaluate_residual_flow(
    flow: Checkpoint, train: ImageSet, test: ImageSet, benchmark: ImageSet, config: ResidualFlowEvaluationConfig
) -> dict[str, Any]:
    """Estimates the likelihood of all splits, and measures inverse and Lipschitz bound."""
    from fashion_dgm.evaluation.residual_flow import evaluate

    return evaluate(flow, {"train": train, "test": test, "benchmark": benchmark}, config)


def plot_samples(flow: Checkpoint, config: ResidualFlowEvaluationConfig) -> Figure:
    """Draws samples of the flow at each temperature, from the same latents."""
    return draw_samples(flow, config)
