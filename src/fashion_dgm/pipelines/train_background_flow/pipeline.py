"""The pipeline `train_background_flow`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.train_background_flow import nodes

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline."""
    return Pipeline(
        [
            Node(
                nodes.train_background_flow,
                ["train", "test", "background_flow_state", "params:train_background_flow"],
                ["background_flow", "background_flow_history"],
                name="train_background_flow",
                tags="training",
            )
        ]
    )
