"""The pipeline `train_flow`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.discrete_likelihood import estimate_discrete_likelihood
from fashion_dgm.pipelines.train_flow import nodes

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline."""
    return Pipeline(
        [
            Node(
                nodes.train_flow,
                ["train", "test", "flow_state", "params:train_flow"],
                ["flow", "flow_snapshots", "flow_history", "flow_metrics"],
                name="train_flow",
                tags="training",
            ),
            Node(
                estimate_discrete_likelihood,
                ["flow", "benchmark", "params:discrete_likelihood"],
                "flow_discrete_likelihood",
                name="estimate_flow_discrete_likelihood",
            ),
            Node(nodes.plot_history, "flow_history", "flow_curve_figure", name="plot_flow_history"),
        ]
    )
