"""The raw sets become train, test, benchmark and out-of-distribution images."""

from fashion_dgm.pipelines.data_split.pipeline import create_pipeline

__all__ = ["create_pipeline"]
