"""Likelihood-based out-of-distribution detection, and samples of the flow."""

from fashion_dgm.pipelines.ood_eval.pipeline import create_pipeline

__all__ = ["create_pipeline"]
