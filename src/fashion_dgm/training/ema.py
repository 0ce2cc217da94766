"""A moving average of a network's weights."""

import copy
from typing import Any, Generic, TypeVar

import torch
from torch import nn

from fashion_dgm.errors import FashionDGMError

__all__ = ["EMA"]

M = TypeVar("M", bound=nn.Module)


class EMA(Generic[M]):
    """The exponential moving average `w <- d w + (1 - d) w_t` of the weights of a network that is being trained.

    While few steps are done, `d` is `(1 + t) / (10 + t)`, so that the first weights, which nothing has taught, are soon
    forgotten. Buffers, such as running statistics, are copied.

    Polyak and Juditsky, 1992, "Acceleration of stochastic approximation by averaging".

    Arguments:
        network: the network in training.
        decay: the largest `d`, in `(0, 1)`.

    Raises:
        FashionDGMError: if the decay lies outside.
    """

    def __init__(self, network: M, decay: float) -> None:
        if not 0 < decay < 1:
            raise FashionDGMError(f"the decay of a moving average must lie in (0, 1), not be {decay}")
        self.decay = decay
        self.average = copy.deepcopy(network).eval().requires_grad_(False)
        self._network, self._steps = network, 0

    @torch.no_grad()
    def update(self) -> None:
        """Takes in the weights of the network; to be called after each step. Nothing here waits for the device."""
        decay = min(self.decay, (1 + self._steps) / (10 + self._steps))
        self._steps += 1
        averages, weights = ([p.data for p in each.parameters()] for each in (self.average, self._network))
        torch._foreach_lerp_(averages, weights, 1 - decay)
        for average, buffer in zip(self.average.buffers(), self._network.buffers(), strict=True):
            average.copy_(buffer)

    def state_dict(self) -> dict[str, Any]:
        """Returns all that the next update depends on, but for the network itself."""
        return {"average": self.average.state_dict(), "steps": self._steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes back what `state_dict` gave."""
        self.average.load_state_dict(state["average"])
        self._steps = state["steps"]
