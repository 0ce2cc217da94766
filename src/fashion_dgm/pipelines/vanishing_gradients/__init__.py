"""What a good discriminator leaves of the generator's gradient."""

from fashion_dgm.pipelines.vanishing_gradients.pipeline import create_pipeline

__all__ = ["create_pipeline"]
