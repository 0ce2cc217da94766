"""Fréchet distances by epoch."""

from fashion_dgm.pipelines.fid_eval.pipeline import create_pipeline

__all__ = ["create_pipeline"]
