"""Training of a flow: one step, and from its parameters to its checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from fashion_dgm.checkpoint import Checkpoint, checkpoint_of
from fashion_dgm.config import CouplingFlowTrainingConfig, NamedFlowTrainingConfig, ResidualFlowTrainingConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.flows.families import build_flow, code_of, make_flow
from fashion_dgm.flows.flow import Flow
from fashion_dgm.flows.likelihood import mean_bits_per_dim
from fashion_dgm.flows.preprocessing import dequantize
from fashion_dgm.training.device import resolve_device
from fashion_dgm.training.distributed.ranks import average_gradients
from fashion_dgm.training.ema import EMA
from fashion_dgm.training.epoch import EpochRow
from fashion_dgm.training.loop import OnEpoch, train
from fashion_dgm.training.optimizers import make_optimizer, set_learning_rate
from fashion_dgm.training.seeds import derive_seed, generator
from fashion_dgm.training.speed import accelerate, begin_step
from fashion_dgm.training.step import StatefulStep

if TYPE_CHECKING:
    from fashion_dgm.training.store import StateStore

__all__ = ["FittedFlow", "FlowStep", "fit_flow", "reconstruction_error", "train_flow"]


FlowTraining = CouplingFlowTrainingConfig | ResidualFlowTrainingConfig | NamedFlowTrainingConfig


class FlowStep(StatefulStep):
    """One step of maximum likelihood: down the mean bits per dimension of a batch, gradients clipped by their norm.

    Arguments:
        config: model, optimizer, and the norm to which the gradient of the bits per dimension is clipped.
        device: where the flow lives.
        precision: float32, or bfloat16 for the networks in the couplings; log-determinants are float32 either way.

    The weights come from torch's default generator, seeded by the caller; so does the noise of the steps.
    """

    state = ("flow", "optimizer", "steps", "ema")

    def __init__(self, config: FlowTraining, device: torch.device, precision: torch.dtype) -> None:
        self.config, self.device, self.precision = config, device, precision
        # Drawn on the CPU, so that a seed gives the same weights on every device.
        self.flow = accelerate(make_flow(config.model), config.speed, device)
        self.optimizer = make_optimizer(config.optimizer, self.flow.parameters(), config.speed.fused_optimizer)
        self.ema = None if config.ema_decay is None else EMA(self.flow, config.ema_decay)
        self.steps = 0

    @property
    def evaluated(self) -> Flow:
        """The flow to evaluate and to keep: the moving average, where there is one."""
        if self.ema is None:
            return self.flow
        self.ema.average.constrain()
        return self.ema.average

    def step(self, images: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        """Learns from a batch; nothing here waits for the device.

        Arguments:
            images: uint8 in 0..255, `(B, 1, 28, 28)`, on the device.
            labels: not used.

        Returns:
            Scalars on the device: `bits_per_dim`, the mean over the batch before the step, and `gradient_norm`, before
            clipping.

        Raises:
            FashionDGMError: if images are not uint8 or have another shape.
        """
        begin_step(self.config.speed)
        self.flow.train()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == torch.bfloat16):
            loss = self.flow.bits_per_dim(images).mean()
        loss.backward()
        average_gradients(self.flow.parameters())
        norm = nn.utils.clip_grad_norm_(self.flow.parameters(), self.config.max_gradient_norm)
        config = self.config
        set_learning_rate(self.optimizer, config.optimizer.learning_rate, config.schedule, self.steps)
        self.optimizer.step()
        self.flow.constrain()
        self.steps += 1
        if self.ema is not None:
            self.ema.update()
        return {"bits_per_dim": loss.detach(), "gradient_norm": norm}


# On two CPU cores batches of 500 take half as long again.
EVALUATION_BATCH = 100
RECONSTRUCTED = 500

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FittedFlow:
    """The flow that was trained, its history, what it was after some epochs before the last, and what it reaches."""

    flow: Checkpoint
    history: list[EpochRow]
    earlier: dict[int, Checkpoint]
    metrics: Mapping[str, Any] = field(default_factory=dict)


def fit_flow(
    data: ImageSet,
    test: ImageSet,
    config: FlowTraining,
    store: StateStore,
    on_epoch: OnEpoch,
    kept_epochs: int = 0,
) -> FittedFlow:
    """Trains a flow on `data` and follows its bits/dim on the first `config.evaluation_images` of `test`.

    Arguments:
        kept_epochs: of how many epochs before the last the flow is kept, also of a run that goes on from fewer epochs.
    """
    kept = range(max(1, config.epochs - kept_epochs), config.epochs)
    if len(kept) < kept_epochs:
        logger.warning(
            "kept_epochs is %d, but of %d epochs only %d come before the last", kept_epochs, config.epochs, len(kept)
        )

    def snapshot(step: FlowStep, epoch: int) -> Mapping[str, torch.Tensor] | None:
        # The last epoch too: when the run is extended, it comes before the last.
        if kept_epochs == 0 or epoch < config.epochs - kept_epochs:
            return None
        return {name: tensor.detach().cpu().clone() for name, tensor in step.evaluated.state_dict().items()}

    run = train(
        lambda device, precision: FlowStep(config, device, precision),
        data,
        config,
        store,
        (f"{__name__}:fit_flow", code_of(config.model)),
        evaluation={"test": test.sha256},
        evaluate=lambda step: {
            "test_bits_per_dim": _bits_per_dim(step.evaluated, test, config.evaluation_images, config.seed)
        },
        snapshot=snapshot,
        on_epoch=on_epoch,
    )
    flow = run.step.evaluated
    images = config.epochs * min(config.images_per_epoch or len(data), len(data))
    origin = {"seed": config.seed, "epoch": config.epochs, "images": images, "data_sha256": data.sha256}
    kind, architecture = type(flow).__name__, flow.config.model_dump(mode="json")
    earlier = {
        epoch: checkpoint_of(weights, kind, architecture, {**origin, "epoch": epoch})
        for epoch, weights in run.snapshots.items()
        if epoch in kept
    }
    return FittedFlow(checkpoint_of(flow, kind, architecture, origin), run.history, earlier)


def train_flow(
    data: ImageSet,
    test: ImageSet,
    config: CouplingFlowTrainingConfig | NamedFlowTrainingConfig,
    store: StateStore,
    on_epoch: OnEpoch,
) -> FittedFlow:
    """Trains a flow with an exact log-determinant as `fit_flow` does, and evaluates it.

    Its metrics are what the report shows of it, among them the bits/dim of the whole test split and of as many training
    images.
    """
    fitted = fit_flow(data, test, config, store, on_epoch, config.kept_epochs)
    flow = build_flow(fitted.flow).to(resolve_device(config.device))
    some = torch.from_numpy(test.images[:RECONSTRUCTED])
    metrics = {
        "architecture": fitted.flow.architecture,
        "epochs": len(fitted.history),
        "images_seen": fitted.flow.training["images"],
        "parameters": sum(parameter.numel() for parameter in flow.parameters()),
        "train_bits_per_dim": _bits_per_dim(flow, data, len(test), config.seed),
        "test_bits_per_dim": _bits_per_dim(flow, test, len(test), config.seed),
        "reconstruction_error": reconstruction_error(flow, some, config.seed),
    }
    return replace(fitted, metrics=metrics)


def _bits_per_dim(flow: Flow, images: ImageSet, count: int, seed: int) -> float:
    pixels = torch.from_numpy(images.images[:count])
    # In float32 whatever the training's precision: this number is compared with others.
    return mean_bits_per_dim(flow, pixels, EVALUATION_BATCH, derive_seed(seed, "dequantize"), torch.float32)


@torch.no_grad()
def reconstruction_error(flow: Flow, images: torch.Tensor, seed: int) -> float:
    """Returns `max |inverse(forward(x)) - x|` over dequantised uint8 images `(N, 1, 28, 28)`, in units of `[0, 1]`."""
    flow.eval()
    x = dequantize(images, generator(seed, "reconstruct")).to(next(flow.parameters()).device)
    z, _ = flow(x)
    return float((flow.inverse(z) - x).abs().max())
