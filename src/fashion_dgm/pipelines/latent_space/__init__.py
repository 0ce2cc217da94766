"""Images from latents that the prior would hardly draw."""

from fashion_dgm.pipelines.latent_space.pipeline import create_pipeline

__all__ = ["create_pipeline"]
