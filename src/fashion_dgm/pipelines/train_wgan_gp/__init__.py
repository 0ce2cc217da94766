"""The improved WGAN."""

from fashion_dgm.pipelines.train_wgan_gp.pipeline import create_pipeline

__all__ = ["create_pipeline"]
