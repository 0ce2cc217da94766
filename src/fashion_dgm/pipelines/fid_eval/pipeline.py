"""The pipeline `fid_eval`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.fid_eval import nodes

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline."""
    return Pipeline(
        [
            Node(
                nodes.score_snapshots,
                [
                    "gan_snapshots",
                    "wgan_snapshots",
                    "classifier",
                    "classifier_metrics",
                    "train",
                    "test",
                    "benchmark",
                    "params:fid_eval",
                ],
                ["fid_by_epoch", "fid_metrics"],
                name="score_snapshots",
            ),
            Node(nodes.plot_distances, ["fid_by_epoch", "fid_metrics"], "fid_curves", name="plot_fid"),
        ]
    )
