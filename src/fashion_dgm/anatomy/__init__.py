"""What a flow's likelihood is made of, and what its inverse makes of latents that no image of its own has.

A package beside `flows` rather than in it: nothing here decides a training's outcome, so a change here retrains nothing.
"""

from fashion_dgm.anatomy.dissection import Dissection, dissect
from fashion_dgm.anatomy.latents import interpolate, scale_sizes, sparse_latents, truncated_latents
from fashion_dgm.anatomy.trace import Layer, Trace, trace

__all__ = [
    "Dissection",
    "Layer",
    "Trace",
    "dissect",
    "interpolate",
    "scale_sizes",
    "sparse_latents",
    "trace",
    "truncated_latents",
]
