"""What a model family gives to the epoch loop."""

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor, nn

__all__ = ["StatefulStep", "Step"]


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
        """All that the next step depends on, but for the random state: references, to be saved before the next step."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes back what `state_dict` gave."""
        ...


class StatefulStep:
    """A step whose state is that of some of its attributes.

    Attributes:
        state: their names: networks, optimizers, averages (all with a state dict) and numbers. What is None is left out.
    """

    state: tuple[str, ...]

    def networks(self) -> Mapping[str, nn.Module]:
        return {name: part for name, part in self._parts().items() if isinstance(part, nn.Module)}

    def state_dict(self) -> dict[str, Any]:
        return {
            name: part.state_dict() if hasattr(part, "state_dict") else part for name, part in self._parts().items()
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, part in self._parts().items():
            if hasattr(part, "load_state_dict"):
                part.load_state_dict(state[name])
            else:
                setattr(self, name, state[name])

    def _parts(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.state if getattr(self, name) is not None}
