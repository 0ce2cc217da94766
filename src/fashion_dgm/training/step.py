"""What a model family gives to the epoch loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor, nn

__all__ = ["Step"]


class Step(Protocol):
    """One optimisation step of a model family; it owns its networks and optimizers."""

    def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Learns from a batch and returns scalar metrics that stay on the device.

        Arguments:
            images: uint8 in 0..255, `(B, 1, 28, 28)`.
            labels: int64, `(B,)`.
        """
        ...

    def networks(self) -> Mapping[str, nn.Module]:
        """The networks by name."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on, but for the random state."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes back what `state_dict` gave."""
        ...
