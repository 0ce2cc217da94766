"""The mixture flow by maximum likelihood."""

from fashion_dgm.pipelines.train_mixture_flow.pipeline import create_pipeline

__all__ = ["create_pipeline"]
