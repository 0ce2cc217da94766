"""The chapters of the report by anchor, in their order; documentation names them so, too."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["TITLES"]

TITLES: Mapping[str, str] = {
    "data": "The data",
    "flow": "A normalising flow: RealNVP",
    "mixture-flow": "Mixture couplings instead of affine ones",
    "residual-flow": "Free-form layers: Residual Flow",
    "log-det": "Estimating the Jacobian's determinant",
    "latents": "Beyond the data: what the flow makes of unusual latents",
    "ood": "Does likelihood recognise the unfamiliar?",
    "anatomy": "Why likelihood fails",
    "gan": "Two adversarial games: GAN and WGAN",
    "fid": "How near do the samples come?",
    "vanishing": "When the opponent is too good: vanishing gradients",
    "stability": "Which is more stable, and by how much?",
    "published": "Beside published figures",
}
