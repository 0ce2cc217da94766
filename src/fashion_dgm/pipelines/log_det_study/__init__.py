"""How well log-determinants are estimated."""

from fashion_dgm.pipelines.log_det_study.pipeline import create_pipeline

__all__ = ["create_pipeline"]
