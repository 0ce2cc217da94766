"""All results on one page."""

from fashion_dgm.pipelines.report.pipeline import create_pipeline

__all__ = ["create_pipeline"]
