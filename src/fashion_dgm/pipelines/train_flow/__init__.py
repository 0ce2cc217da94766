"""RealNVP by maximum likelihood."""

from fashion_dgm.pipelines.train_flow.pipeline import create_background_pipeline, create_pipeline

__all__ = ["create_background_pipeline", "create_pipeline"]
