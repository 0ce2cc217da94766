"""The reference classifier, for its features."""

from fashion_dgm.pipelines.train_classifier.pipeline import create_pipeline

__all__ = ["create_pipeline"]
