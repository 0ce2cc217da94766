"""Likelihood decomposition: why likelihood fails to detect OOD images."""

from fashion_dgm.pipelines.likelihood_decomposition.pipeline import create_pipeline

__all__ = ["create_pipeline"]
