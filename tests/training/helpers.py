"""A model as small as a step can be, for tests of the loop itself."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fashion_dgm.config import TrainingConfig
from fashion_dgm.training.distributed.ranks import average_gradients
from fashion_dgm.training.loop import TrainedRun, train
from fashion_dgm.training.step import StatefulStep
from fashion_dgm.training.store import StateStore
from tests.conftest import made_up_images
from tests.small import COMMON


class NoisyStep(StatefulStep):
    """A linear map under Adam, with noise in every step, so that a wrong random state shows; alone or on several ranks."""

    state = ("layer", "optimizer")
    scale = 0.1
    noise: Tensor
    steps = 0

    def __init__(self, device: torch.device, precision: torch.dtype) -> None:
        self.layer = nn.Linear(784, 1).to(device)
        self.optimizer = torch.optim.Adam(self.layer.parameters())

    def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        self.steps += 1
        x = images.flatten(1) / 255
        self.noise = torch.randn_like(x)
        loss = (self.layer(x + self.scale * self.noise)[:, 0] - labels).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        average_gradients(self.layer.parameters())
        self.optimizer.step()
        return {"loss": loss.detach()}


def step_with(hook: Callable[[NoisyStep, Tensor], Mapping[str, Tensor] | None]) -> type[NoisyStep]:
    """A step after which `hook` gets it and its images, and may give metrics."""

    class Hooked(NoisyStep):
        def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
            return super().step(images, labels) | (hook(self, images) or {})

    return Hooked


def config(**changes: Any) -> TrainingConfig:
    return TrainingConfig(**{**COMMON, "epochs": 3, **changes})


def run(folder: Path, images: Any = None, make: Any = NoisyStep, **kwargs: Any) -> TrainedRun:
    hooks = {name: kwargs.pop(name) for name in ("evaluate", "evaluation", "snapshot", "on_epoch") if name in kwargs}
    images = images or made_up_images(80, seed=0)
    return train(make, images, config(**kwargs), StateStore(folder), ("fashion_dgm.gans.objectives",), **hooks)


def ignore(row: dict[str, float], seconds: float | None) -> None: ...


def same(one: TrainedRun, other: TrainedRun) -> bool:
    """Whether two runs ended with the same weights and history, to the bit."""
    weights = zip(one.step.networks().values(), other.step.networks().values(), strict=True)
    return one.history == other.history and all(
        torch.equal(a, b)
        for first, second in weights
        for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )
