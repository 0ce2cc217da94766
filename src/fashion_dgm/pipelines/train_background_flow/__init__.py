"""A flow of noised images, for likelihood ratios."""

from fashion_dgm.pipelines.train_background_flow.pipeline import create_pipeline

__all__ = ["create_pipeline"]
