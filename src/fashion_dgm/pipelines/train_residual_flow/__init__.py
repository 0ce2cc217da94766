"""Residual Flow by maximum likelihood."""

from fashion_dgm.pipelines.train_residual_flow.pipeline import create_pipeline

__all__ = ["create_pipeline"]
