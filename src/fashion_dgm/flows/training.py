"""Training of a flow from its parameters to its checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from fashion_dgm.checkpoint import Checkpoint, checkpoint_of
from fashion_dgm.config import FlowTrainingConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.flows.dequantize import dequantize
from fashion_dgm.flows.likelihood import mean_bits_per_dim
from fashion_dgm.flows.realnvp import RealNVP
from fashion_dgm.flows.step import FlowStep
from fashion_dgm.training.epoch import EpochRow
from fashion_dgm.training.loop import OnEpoch, train
from fashion_dgm.training.seeds import derive_seed, generator
from fashion_dgm.training.store import StateStore

__all__ = ["TrainedFlow", "reconstruction_error", "train_flow"]

PACKAGES = ("fashion_dgm.flows", "fashion_dgm.training")
EVALUATION_BATCH = 500


@dataclass(frozen=True)
class TrainedFlow:
    """The flow, its history, and what it reaches on all of the test split."""

    flow: Checkpoint
    history: list[EpochRow]
    parameters: int
    train_bits_per_dim: float
    test_bits_per_dim: float
    reconstruction_error: float


def train_flow(
    data: ImageSet, test: ImageSet, config: FlowTrainingConfig, store: StateStore, on_epoch: OnEpoch
) -> TrainedFlow:
    """Trains RealNVP on `data` and follows its bits/dim on the first `config.evaluation_images` of `test`.

    The final bits/dim are those of as many training images as the test split holds, and of that whole split.
    """

    def bits_per_dim(flow: RealNVP, images: ImageSet, count: int) -> float:
        pixels = torch.from_numpy(images.images[:count])
        # In float32 whatever the training's precision: this figure is compared with others.
        return mean_bits_per_dim(flow, pixels, EVALUATION_BATCH, derive_seed(config.seed, "dequantize"), torch.float32)

    run = train(
        lambda device, precision: FlowStep(config, device, precision),
        data,
        config,
        store,
        PACKAGES,
        evaluate=lambda step: {"test_bits_per_dim": bits_per_dim(step.judged, test, config.evaluation_images)},
        on_epoch=on_epoch,
    )
    flow = run.step.judged
    origin = {"seed": config.seed, "epoch": config.epochs, "data_sha256": data.sha256}
    return TrainedFlow(
        flow=checkpoint_of(flow, "RealNVP", config.model.model_dump(mode="json"), origin),
        history=run.history,
        parameters=sum(parameter.numel() for parameter in flow.parameters()),
        train_bits_per_dim=bits_per_dim(flow, data, len(test)),
        test_bits_per_dim=bits_per_dim(flow, test, len(test)),
        reconstruction_error=reconstruction_error(flow, torch.from_numpy(test.images[:EVALUATION_BATCH]), config.seed),
    )


@torch.no_grad()
def reconstruction_error(flow: RealNVP, images: torch.Tensor, seed: int) -> float:
    """Returns `max |inverse(forward(x)) - x|` over dequantised uint8 images `(N, 1, 28, 28)`, in units of `[0, 1]`."""
    flow.eval()
    x = dequantize(images, generator(seed, "reconstruct")).to(next(flow.parameters()).device)
    z, _ = flow(x)
    return float((flow.inverse(z) - x).abs().max())
