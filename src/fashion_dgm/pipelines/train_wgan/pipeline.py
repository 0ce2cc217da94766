"""The pipeline `train_wgan`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.adversarial import plot_snapshots
from fashion_dgm.pipelines.train_wgan import nodes

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline."""
    return Pipeline(
        [
            Node(
                nodes.train_wgan,
                ["train", "wgan_state", "params:train_wgan"],
                ["wgan_generator", "wgan_discriminator", "wgan_snapshots", "wgan_history", "wgan_metrics"],
                name="train_wgan",
                tags="gpu",
            ),
            Node(plot_snapshots, ["wgan_snapshots", "params:report"], "wgan_strip", name="plot_wgan_snapshots"),
        ]
    )
