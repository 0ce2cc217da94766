"""What a flow's inverse makes of latents that its prior would hardly draw."""

from fashion_dgm.experiments.latent_space.latents import interpolate, scale_sizes, sparse_latents, truncated_latents

__all__ = ["interpolate", "scale_sizes", "sparse_latents", "truncated_latents"]
