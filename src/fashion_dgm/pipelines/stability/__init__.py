"""Which adversarial model trains more stably, and by how much."""

from fashion_dgm.pipelines.stability.pipeline import create_pipeline

__all__ = ["create_pipeline"]
