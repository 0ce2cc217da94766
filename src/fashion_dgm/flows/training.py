"""Training of a flow from its parameters to its checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from fashion_dgm.checkpoint import Checkpoint, checkpoint_of
from fashion_dgm.config import CouplingFlowTrainingConfig, ResidualFlowTrainingConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.flows.dequantize import dequantize
from fashion_dgm.flows.families import build_flow
from fashion_dgm.flows.flow import Flow
from fashion_dgm.flows.likelihood import mean_bits_per_dim
from fashion_dgm.flows.step import FlowStep
from fashion_dgm.training.device import resolve_device
from fashion_dgm.training.epoch import EpochRow
from fashion_dgm.training.loop import OnEpoch, train
from fashion_dgm.training.seeds import derive_seed, generator
from fashion_dgm.training.store import StateStore

__all__ = ["FittedFlow", "TrainedFlow", "fit_flow", "reconstruction_error", "train_flow"]

CODE = (f"{__name__}:fit_flow",)
EVALUATION_BATCH = 500

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedFlow:
    """The flow, its history, and what it reaches on all of the test split."""

    flow: Checkpoint
    history: list[EpochRow]
    parameters: int
    train_bits_per_dim: float
    test_bits_per_dim: float
    reconstruction_error: float
    earlier: dict[int, Checkpoint]


@dataclass(frozen=True)
class FittedFlow:
    """The flow that was trained, its history, and what it was after some epochs before the last."""

    flow: Checkpoint
    history: list[EpochRow]
    earlier: dict[int, Checkpoint]


def fit_flow(
    data: ImageSet,
    test: ImageSet,
    config: CouplingFlowTrainingConfig | ResidualFlowTrainingConfig,
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
        return {name: tensor.detach().cpu().clone() for name, tensor in step.judged.state_dict().items()}

    run = train(
        lambda device, precision: FlowStep(config, device, precision),
        data,
        config,
        store,
        CODE,
        evaluation={"test": test.sha256},
        evaluate=lambda step: {
            "test_bits_per_dim": _bits_per_dim(step.judged, test, config.evaluation_images, config.seed)
        },
        snapshot=snapshot,
        on_epoch=on_epoch,
    )
    flow = run.step.judged
    images = config.epochs * min(config.images_per_epoch or len(data), len(data))
    origin = {"seed": config.seed, "epoch": config.epochs, "images": images, "data_sha256": data.sha256}
    kind, architecture = type(flow).__name__, config.model.model_dump(mode="json")
    earlier = {
        epoch: checkpoint_of(weights, kind, architecture, {**origin, "epoch": epoch})
        for epoch, weights in run.snapshots.items()
        if epoch in kept
    }
    return FittedFlow(checkpoint_of(flow, kind, architecture, origin), run.history, earlier)


def train_flow(
    data: ImageSet, test: ImageSet, config: CouplingFlowTrainingConfig, store: StateStore, on_epoch: OnEpoch
) -> TrainedFlow:
    """Trains a flow of couplings as `fit_flow` does, and evaluates it.

    The final bits/dim are those of as many training images as the test split holds, and of that whole split.
    """
    fitted = fit_flow(data, test, config, store, on_epoch, config.kept_epochs)
    flow = build_flow(fitted.flow).to(resolve_device(config.device))
    return TrainedFlow(
        flow=fitted.flow,
        history=fitted.history,
        earlier=fitted.earlier,
        parameters=sum(parameter.numel() for parameter in flow.parameters()),
        train_bits_per_dim=_bits_per_dim(flow, data, len(test), config.seed),
        test_bits_per_dim=_bits_per_dim(flow, test, len(test), config.seed),
        reconstruction_error=reconstruction_error(flow, torch.from_numpy(test.images[:EVALUATION_BATCH]), config.seed),
    )


def _bits_per_dim(flow: Flow, images: ImageSet, count: int, seed: int) -> float:
    pixels = torch.from_numpy(images.images[:count])
    # In float32 whatever the training's precision: this figure is compared with others.
    return mean_bits_per_dim(flow, pixels, EVALUATION_BATCH, derive_seed(seed, "dequantize"), torch.float32)


@torch.no_grad()
def reconstruction_error(flow: Flow, images: torch.Tensor, seed: int) -> float:
    """Returns `max |inverse(forward(x)) - x|` over dequantised uint8 images `(N, 1, 28, 28)`, in units of `[0, 1]`."""
    flow.eval()
    x = dequantize(images, generator(seed, "reconstruct")).to(next(flow.parameters()).device)
    z, _ = flow(x)
    return float((flow.inverse(z) - x).abs().max())
