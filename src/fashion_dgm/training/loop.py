"""The one epoch loop: every model family is a `Step` that it drives."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor
from tqdm import tqdm

from fashion_dgm.config import TrainingConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.training.device import resolve_device, resolve_precision
from fashion_dgm.training.fingerprint import fingerprint_of
from fashion_dgm.training.seeds import derive_seed, generator
from fashion_dgm.training.step import Step
from fashion_dgm.training.store import StateStore

__all__ = ["DivergenceError", "EpochRow", "OnEpoch", "TrainedRun", "train"]

logger = logging.getLogger(__name__)

S = TypeVar("S", bound=Step)
EpochRow = dict[str, float]
OnEpoch = Callable[[EpochRow, float | None], None]
Weights = Mapping[str, Tensor]


class DivergenceError(FashionDGMError):
    """A metric became NaN or infinite."""


@dataclass(frozen=True)
class TrainedRun(Generic[S]):
    """What a finished run has come to.

    Arguments:
        step: the trained networks and their optimizers.
        history: a row of mean metrics for each epoch, in order.
        snapshots: what was kept of the networks, by epoch.
    """

    step: S
    history: list[EpochRow]
    snapshots: dict[int, Weights]


def train(
    make_step: Callable[[torch.device, torch.dtype], S],
    data: ImageSet,
    config: TrainingConfig,
    store: StateStore,
    packages: tuple[str, ...],
    *,
    evaluate: Callable[[S], Mapping[str, float]] = lambda step: {},
    snapshot: Callable[[S, int], Weights | None] = lambda step, epoch: None,
    on_epoch: OnEpoch = lambda row, seconds: None,
) -> TrainedRun[S]:
    """Trains until `config.epochs`, from the last epoch that `store` holds of the same run.

    All randomness of an epoch is a function of (seed, epoch), and the state is saved after every epoch, so a run that
    was killed ends bit for bit where an uninterrupted one on the same hardware would have.

    Arguments:
        make_step: makes the step for a device and a precision; its weights are drawn from torch's default generator.
        packages: the packages whose code decides the outcome, for the run's fingerprint.
        evaluate: called after an epoch; its metrics join the epoch's row.
        snapshot: called after an epoch, counted from 1; weights to keep of it, or None.
        on_epoch: called with each row, those of earlier sessions included, and the seconds it took (None if earlier).

    Raises:
        DivergenceError: if a metric becomes NaN or infinite; the states saved before stay.
        FashionDGMError: if there are fewer images than one batch.
    """
    device = resolve_device(config.device)
    precision = resolve_precision(config.precision, device)
    with torch.random.fork_rng(devices=_cuda(device)):
        torch.manual_seed(derive_seed(config.seed, "weights"))
        step = make_step(device, precision)

    run_store = store.open(fingerprint_of(config, data.sha256, packages, device, precision))
    history: list[EpochRow] = []
    snapshots: dict[int, Weights] = {}
    state = run_store.load(device)
    if state is not None and len(state["history"]) > config.epochs:
        logger.info("the stored run has %d epochs, more than asked for: training anew", len(state["history"]))
        state = None
    if state is not None:
        step.load_state_dict(state["step"])
        history, snapshots = state["history"], state["snapshots"]
        done = len(history)
        logger.info("%s epoch %d of %d", "reusing" if done == config.epochs else "going on after", done, config.epochs)
    for row in history:
        on_epoch(row, None)

    images = torch.from_numpy(data.images).to(device)
    labels = torch.from_numpy(data.labels).to(device).long()
    for epoch in range(len(history) + 1, config.epochs + 1):
        started = time.perf_counter()
        row = {"epoch": float(epoch), **_epoch(step, images, labels, config, epoch), **evaluate(step)}
        history.append(row)
        kept = snapshot(step, epoch)
        if kept is not None:
            snapshots[epoch] = {name: tensor.detach().cpu().clone() for name, tensor in kept.items()}
        run_store.save({"step": step.state_dict(), "history": history, "snapshots": snapshots})
        seconds = time.perf_counter() - started
        figures = "  ".join(f"{name} {value:.4g}" for name, value in row.items() if name != "epoch")
        logger.info("epoch %d/%d  %s  %.1f s", epoch, config.epochs, figures, seconds)
        on_epoch(row, seconds)
    store.keep_only(run_store)
    return TrainedRun(step, history, snapshots)


def _epoch(step: Step, images: Tensor, labels: Tensor, config: TrainingConfig, epoch: int) -> EpochRow:
    """Runs one epoch over a seeded permutation and returns the mean of each metric.

    A last batch smaller than the others is dropped: BatchNorm statistics of a handful of images are noise.
    """
    count = min(config.images_per_epoch or len(images), len(images))
    if count < config.batch_size:
        raise FashionDGMError(f"{count} images are less than one batch of {config.batch_size}; lower batch_size")
    device = images.device
    order = torch.randperm(len(images), generator=generator(config.seed, "order", epoch)).to(device)
    batches = order[: count - count % config.batch_size].view(-1, config.batch_size)
    totals: dict[str, Tensor] = {}
    counts: dict[str, int] = {}
    first_bad = torch.full((), len(batches), device=device)
    with torch.random.fork_rng(devices=_cuda(device)):
        torch.manual_seed(derive_seed(config.seed, "noise", epoch))
        # disable=None shows a bar on a terminal and nothing in a log.
        bar = tqdm(batches, desc=f"epoch {epoch}/{config.epochs}", unit="batch", leave=False, disable=None)
        # Sums and checks stay on the device: reading a value here would make the host wait for every step.
        for number, index in enumerate(bar):
            metrics = step.step(images[index], labels[index])
            for name, value in metrics.items():
                totals[name] = totals[name] + value if name in totals else value.clone()
                counts[name] = counts.get(name, 0) + 1
            finite = torch.stack([value.isfinite() for value in metrics.values()]).all()
            first_bad = torch.where(finite, first_bad, first_bad.clamp(max=number))
    row = {name: float(total) / counts[name] for name, total in totals.items()}
    bad = [name for name, value in row.items() if not math.isfinite(value)]
    if bad:
        raise DivergenceError(
            f"{', '.join(bad)} became NaN or infinite in epoch {epoch}, first at step {int(first_bad) + 1} of "
            f"{len(batches)}. The last good state, of epoch {epoch - 1}, is kept. Lower the learning rate or set "
            "precision: float32, and run the same command again."
        )
    return row


def _cuda(device: torch.device) -> list[torch.device]:
    return [device] if device.type == "cuda" else []
