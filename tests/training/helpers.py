"""A model as small as a step can be, for tests of the loop itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fashion_dgm.config import TrainingConfig
from fashion_dgm.training.loop import TrainedRun, train
from fashion_dgm.training.store import StateStore
from tests.conftest import made_up_images


class NoisyStep:
    """A linear map under Adam, with noise in every step, so that a wrong random state shows."""

    def __init__(self, device: torch.device, precision: torch.dtype) -> None:
        self.layer = nn.Linear(784, 1)
        self.optimizer = torch.optim.Adam(self.layer.parameters())

    def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        x = images.flatten(1) / 255
        loss = (self.layer(x + 0.1 * torch.randn_like(x))[:, 0] - labels).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": loss.detach()}

    def networks(self) -> dict[str, nn.Module]:
        return {"layer": self.layer}

    def state_dict(self) -> dict[str, Any]:
        return {"layer": self.layer.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.layer.load_state_dict(state["layer"])
        self.optimizer.load_state_dict(state["optimizer"])


def config(**changes: Any) -> TrainingConfig:
    values = {"epochs": 3, "batch_size": 16, "seed": 0, "device": "cpu", "precision": "float32"}
    return TrainingConfig(**{**values, **changes})


def run(folder: Path, images: Any = None, make: Any = NoisyStep, **kwargs: Any) -> TrainedRun:
    hooks = {name: kwargs.pop(name) for name in ("evaluate", "evaluation", "snapshot", "on_epoch") if name in kwargs}
    images = images or made_up_images(80, seed=0)
    return train(make, images, config(**kwargs), StateStore(folder), ("fashion_dgm.gans.objectives",), **hooks)


def same(one: TrainedRun, other: TrainedRun) -> bool:
    """Whether two runs ended with the same weights and history, to the bit."""
    weights = zip(one.step.networks().values(), other.step.networks().values(), strict=True)
    return one.history == other.history and all(
        torch.equal(a, b)
        for first, second in weights
        for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )
