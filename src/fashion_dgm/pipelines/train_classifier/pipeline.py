"""The pipeline `train_classifier`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.train_classifier import nodes

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline."""
    return Pipeline(
        [
            Node(
                nodes.train_classifier,
                ["train", "test", "benchmark", "classifier_state", "params:train_classifier"],
                ["classifier", "classifier_history", "classifier_metrics"],
                name="train_classifier",
                tags="training",
            )
        ]
    )
