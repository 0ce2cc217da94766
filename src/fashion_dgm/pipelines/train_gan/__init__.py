"""The assignment's GAN."""

from fashion_dgm.pipelines.train_gan.pipeline import create_pipeline

__all__ = ["create_pipeline"]
