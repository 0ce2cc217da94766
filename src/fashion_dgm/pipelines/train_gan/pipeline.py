"""The pipeline `train_gan`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.pipelines.adversarial import plot_snapshots
from fashion_dgm.pipelines.train_gan import nodes

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline."""
    return Pipeline(
        [
            Node(
                nodes.train_gan,
                ["train", "gan_state", "params:train_gan"],
                ["gan_generator", "gan_discriminator", "gan_snapshots", "gan_history", "gan_metrics"],
                name="train_gan",
                tags="gpu",
            ),
            Node(plot_snapshots, ["gan_snapshots", "params:report"], "gan_strip", name="plot_gan_snapshots"),
        ]
    )
