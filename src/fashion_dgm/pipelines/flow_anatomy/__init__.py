"""Why likelihood fails to recognise strangers."""

from fashion_dgm.pipelines.flow_anatomy.pipeline import create_pipeline

__all__ = ["create_pipeline"]
