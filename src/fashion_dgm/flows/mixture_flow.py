"""The mixture flow."""

# Derived in docs/theory/change-of-variables.md.

from __future__ import annotations

from functools import partial

from fashion_dgm.config import MixtureFlowConfig
from fashion_dgm.flows.coupling_flow import CouplingFlow
from fashion_dgm.flows.flow import Shape
from fashion_dgm.flows.mixture_coupling import MixtureCoupling

__all__ = ["MixtureFlow"]


class MixtureFlow(CouplingFlow):
    """The scales of `RealNVP` with couplings by mixtures of logistics, whose inverse is found by iteration.

    The couplings are those of Ho et al., 2019, "Flow++". What differs from that paper: the networks are RealNVP's,
    without attention, and dequantisation is uniform.

    Arguments:
        config: that of RealNVP, and the logistics of each mixture.
        shape: `(C, H, W)` of an image.

    Raises:
        FashionDGMError: as `CouplingFlow`.

    Example:
        >>> from fashion_dgm.config import MixtureFlowConfig
        >>> from fashion_dgm.flows import MixtureFlow
        >>> config = MixtureFlowConfig(
        ...     scales=2, checkerboard_couplings=3, channel_couplings=3, hidden_channels=32, residual_blocks=1,
        ...     logit_alpha=1e-6, components=4, position=True,
        ... )
        >>> flow = MixtureFlow(config)
        >>> flow.sample(16).shape
        torch.Size([16, 1, 28, 28])
    """

    config: MixtureFlowConfig

    def __init__(self, config: MixtureFlowConfig, shape: Shape = (1, 28, 28)) -> None:
        coupling = partial(MixtureCoupling, components=config.components)
        super().__init__(config, shape, coupling, MixtureCoupling.parts(config.components))
