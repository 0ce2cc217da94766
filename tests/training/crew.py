"""What the ranks of the tests' distributed runs do; a module of its own, for they must be able to import it."""

import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from fashion_dgm.config import FlowTrainingConfig, TrainingConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.preprocessing import to_bits_per_dim
from fashion_dgm.flows.training import FlowStep
from fashion_dgm.training.device import resolve_device
from fashion_dgm.training.distributed.ranks import average_gradients, from_main, gathered, rank, world_size
from fashion_dgm.training.distributed.worker import agree_on_device
from fashion_dgm.training.loop import OnEpoch, TrainedRun, train
from fashion_dgm.training.store import StateStore
from tests.training.helpers import NoisyStep, ignore


class SilentStep(NoisyStep):
    """Without noise, which each rank draws for itself, several ranks do what one alone does."""

    scale = 0.0


class SlowStep(NoisyStep):
    """Slow enough for a signal to arrive in the middle of an epoch."""

    def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        time.sleep(0.01)
        return super().step(images, labels)


class QuietFlowStep(FlowStep):
    """A step of RealNVP in the middle of each pixel's bin, where dequantisation would draw a random point of it.

    Down the gradient itself: Adam takes a step of one size whichever side of zero a tiny gradient is rounded to.
    """

    def __init__(self, config: FlowTrainingConfig, device: torch.device, precision: torch.dtype) -> None:
        super().__init__(config, device, precision)
        self.optimizer = torch.optim.SGD(self.flow.parameters(), lr=1e-2)

    def step(self, images: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        self.optimizer.zero_grad()
        log_prob = self.flow.log_prob((images.float() + 0.5) / 256)
        loss = to_bits_per_dim(log_prob, self.flow.dimensions).mean()
        loss.backward()
        average_gradients(self.flow.parameters())
        self.optimizer.step()
        return {"bits_per_dim": loss.detach()}


def outcome(run: TrainedRun[Any]) -> dict[str, Any]:
    weights = {name: dict(network.state_dict()) for name, network in run.step.networks().items()}
    noise = gathered(getattr(run.step, "noise", None))
    return {"history": run.history, "weights": weights, "noise": noise}


def train_steps(
    data: ImageSet, config: TrainingConfig, store: StateStore, on_epoch: OnEpoch, make: Any = SilentStep
) -> dict[str, Any]:
    return outcome(train(make, data, config, store, ("fashion_dgm.gans.objectives",), on_epoch=on_epoch))


def everything(
    data: ImageSet,
    config: TrainingConfig,
    flow_config: FlowTrainingConfig,
    long: tuple[ImageSet, TrainingConfig],
    folder: Path,
    on_epoch: OnEpoch,
) -> dict[str, Any]:
    """All that one launch can test, since starting processes takes most of the time."""

    def fail() -> None:
        raise FashionDGMError("the disk is full")

    def message(call: Callable[[], None]) -> str:
        try:
            call()
        except FashionDGMError as error:
            return str(error)
        return "nothing"

    return {
        "world_size": world_size(),
        "errors": gathered(message(lambda: from_main(fail))),
        # As if the second machine had no such device.
        "device": gathered(message(lambda: agree_on_device("meta" if rank() else "cpu"))),
        "not_allowed": gathered(sorted({"kedro", "mlflow"} & sys.modules.keys())),
        "threads": gathered(torch.get_num_threads()),
        "linear": train_steps(data, config, StateStore(folder / "linear"), on_epoch),
        "flow": train_steps(
            data, flow_config, StateStore(folder / "flow"), ignore, partial(QuietFlowStep, flow_config)
        ),
        "noisy": train_steps(data, config, StateStore(folder / "noisy"), ignore, NoisyStep),
        "long": train_steps(*long, StateStore(folder / "long"), ignore, SlowStep),
    }


class Dying(NoisyStep):
    """Rank 1 is killed in the middle of the second epoch: once, or whenever it gets there."""

    def __init__(self, device: torch.device, precision: torch.dtype, mark: Path, always: bool = False) -> None:
        super().__init__(device, precision)
        self.mark, self.always = mark, always

    def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        if rank() == 1 and self.steps == 7 and (self.always or not self.mark.exists()):
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().step(images, labels)


class Diverging(SilentStep):
    """Only rank 1 sees a loss that is no number, in the third step."""

    def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        metrics = super().step(images, labels)
        return {"loss": metrics["loss"] * float("nan")} if rank() == 1 and self.steps == 3 else metrics


def reduce(config: TrainingConfig, on_epoch: OnEpoch) -> dict[str, Any]:
    """Adds a tensor over the ranks on the device of `config`."""
    tensor = torch.ones(2, device=resolve_device(config.device))
    dist.all_reduce(tensor)
    backend = dist.group.WORLD._get_backend(tensor.device).name()
    return {"device": tensor.device.type, "backend": backend, "sum": tensor.tolist()}
