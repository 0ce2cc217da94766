"""The assignment's WGAN."""

from fashion_dgm.pipelines.train_wgan.pipeline import create_pipeline

__all__ = ["create_pipeline"]
