"""The pipeline `train_wgan_gp`."""

from kedro.pipeline import Pipeline

from fashion_dgm.pipelines.adversarial import adversarial_pipeline
from fashion_dgm.pipelines.train_wgan import nodes

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline: that of the WGAN, with parameters and results of its own."""
    return adversarial_pipeline("wgan_gp", nodes.train_wgan)
