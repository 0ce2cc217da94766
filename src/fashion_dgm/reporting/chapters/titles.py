"""The chapters of the report by anchor, in their order; documentation names them so, too."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["TITLES"]

TITLES: Mapping[str, str] = {
    "data": "Data",
    "flow": "RealNVP",
    "mixture-flow": "Mixture flow",
    "residual-flow": "Residual Flow",
    "log-det": "Estimating the log-determinant",
    "latents": "Samples from unusual latents",
    "ood": "Likelihood and OOD detection",
    "likelihood": "Likelihood decomposition",
    "gan": "GAN and WGAN",
    "fid": "Sample quality",
    "vanishing": "Vanishing gradients",
    "stability": "Stability of training",
    "published": "Comparison with published results",
}
