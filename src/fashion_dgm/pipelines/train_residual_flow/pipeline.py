"""The pipeline `train_residual_flow`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.train_flow.nodes import estimate_discrete_likelihood, plot_history
from fashion_dgm.pipelines.train_residual_flow import nodes

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline."""
    return Pipeline(
        [
            Node(
                nodes.train_residual_flow,
                ["train", "test", "residual_flow_state", "params:train_residual_flow"],
                ["residual_flow", "residual_flow_history"],
                name="train_residual_flow",
                tags="training",
            ),
            Node(
                nodes.evaluate_residual_flow,
                ["residual_flow", "train", "test", "benchmark", "params:evaluate_residual_flow"],
                "residual_flow_metrics",
                name="evaluate_residual_flow",
            ),
            Node(
                estimate_discrete_likelihood,
                ["residual_flow", "benchmark", "params:residual_discrete_likelihood"],
                "residual_flow_discrete_likelihood",
                name="estimate_residual_flow_discrete_likelihood",
            ),
            Node(
                plot_history, "residual_flow_history", "residual_flow_curve_figure", name="plot_residual_flow_history"
            ),
            Node(
                nodes.plot_samples,
                ["residual_flow", "params:evaluate_residual_flow"],
                "residual_flow_samples_figure",
                name="plot_residual_flow_samples",
            ),
        ]
    )
