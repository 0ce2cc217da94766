"""The pipeline `train_mixture_flow`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.discrete_likelihood import estimate_discrete_likelihood
from fashion_dgm.pipelines.ood_eval.nodes import plot_samples
from fashion_dgm.pipelines.train_flow.nodes import plot_history
from fashion_dgm.pipelines.train_mixture_flow import nodes

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline: that of RealNVP, with parameters and results of its own."""
    return Pipeline(
        [
            Node(
                nodes.train_mixture_flow,
                ["train", "test", "mixture_flow_state", "params:train_mixture_flow"],
                ["mixture_flow", "mixture_flow_snapshots", "mixture_flow_history", "mixture_flow_metrics"],
                name="train_mixture_flow",
                tags="training",
            ),
            Node(
                estimate_discrete_likelihood,
                ["mixture_flow", "benchmark", "params:discrete_likelihood"],
                "mixture_flow_discrete_likelihood",
                name="estimate_mixture_flow_discrete_likelihood",
            ),
            Node(plot_history, "mixture_flow_history", "mixture_flow_curve_figure", name="plot_mixture_flow_history"),
            Node(
                plot_samples,
                ["mixture_flow", "params:ood_eval"],
                "mixture_flow_samples_figure",
                name="plot_mixture_flow_samples",
            ),
        ]
    )
