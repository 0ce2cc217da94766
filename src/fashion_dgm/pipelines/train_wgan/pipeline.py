"""The pipeline `train_wgan`."""

from kedro.pipeline import Pipeline

from fashion_dgm.pipelines.adversarial import adversarial_pipeline
from fashion_dgm.pipelines.train_wgan import nodes

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline."""
    return adversarial_pipeline("wgan", nodes.train_wgan)
