"""RealNVP."""

# Derived in docs/theory/change-of-variables.md.

from __future__ import annotations

from fashion_dgm.config import RealNVPConfig
from fashion_dgm.flows.coupling import AffineCoupling
from fashion_dgm.flows.coupling_flow import CouplingFlow
from fashion_dgm.flows.flow import Shape

__all__ = ["RealNVP"]


class RealNVP(CouplingFlow):
    """A flow of affine couplings over several scales, with an exact density and a one-pass sampler.

    Dinh et al., 2017, "Density estimation using Real NVP". What differs from the paper:

    - ActNorm before each coupling in the place of batch normalisation, in and between the networks, and neither weight
      normalisation nor skip connections to the output: `log_prob` is a function of one image alone.
    - The last scale is like the others; the paper's has four checkerboard couplings and no squeeze.
    - A checkerboard has halves of one size only where height and width are even. A last scale of odd size (7x7, the
      third one of 28x28) has no squeeze, and channel couplings in the place of its checkerboard couplings.
    - On request, the networks have the place of a pixel as an input (Ho et al., 2019).

    Arguments:
        config: scales, couplings a scale, width and depth of the networks, alpha of the logit.
        shape: `(C, H, W)` of an image.

    Raises:
        FashionDGMError: as `CouplingFlow`.

    Example:
        >>> from fashion_dgm.config import RealNVPConfig
        >>> from fashion_dgm.flows import RealNVP
        >>> config = RealNVPConfig(
        ...     scales=2, checkerboard_couplings=4, channel_couplings=4, hidden_channels=32, residual_blocks=2,
        ...     logit_alpha=1e-6,
        ... )
        >>> flow = RealNVP(config)
        >>> flow.sample(16).shape
        torch.Size([16, 1, 28, 28])
    """

    config: RealNVPConfig

    def __init__(self, config: RealNVPConfig, shape: Shape = (1, 28, 28)) -> None:
        super().__init__(config, shape, AffineCoupling, parts=2)
