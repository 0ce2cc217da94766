"""The one epoch loop: every model family is a `Step` that it drives."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import torch
from torch import Tensor
from tqdm import tqdm

from fashion_dgm.config import TrainingConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.training.device import resolve_device, resolve_precision, tf32
from fashion_dgm.training.distributed.ranks import broadcast_parameters, from_main, gathered, is_main, rank, world_size
from fashion_dgm.training.epoch import DivergenceError, EpochProgress, EpochRow
from fashion_dgm.training.fingerprint import fingerprint_of
from fashion_dgm.training.interruption import Interrupted, StopRequest, stop_request
from fashion_dgm.training.seeds import derive_seed, generator
from fashion_dgm.training.step import Step

if TYPE_CHECKING:
    # Where states are kept decides no outcome, so it belongs to no run's fingerprint.
    from fashion_dgm.training.store import RunStore, StateStore

__all__ = ["OnEpoch", "TrainedRun", "train"]

logger = logging.getLogger(__name__)

S = TypeVar("S", bound=Step)
OnEpoch = Callable[[EpochRow, float | None], None]
Weights = Mapping[str, Tensor]

# How many steps may pass before the host looks whether a metric is still finite.
CHECK_EVERY = 200


@dataclass(frozen=True)
class TrainedRun(Generic[S]):
    """The result of a finished run.

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
    code: tuple[str, ...],
    *,
    evaluation: Mapping[str, str] | None = None,
    evaluate: Callable[[S], Mapping[str, float]] = lambda step: {},
    snapshot: Callable[[S, int], Weights | None] = lambda step, epoch: None,
    on_epoch: OnEpoch = lambda row, seconds: None,
) -> TrainedRun[S]:
    """Trains until `config.epochs`, from where `store` holds the same run.

    All randomness of an epoch is a function of (seed, epoch), and the state is saved after every epoch; Ctrl-C and
    SIGTERM save in the middle of one. So a run that was killed goes on from the same numbers, and on the CPU, where it
    also keeps its number of threads, ends bit for bit where an uninterrupted one on the same hardware would have. On a
    GPU some kernels add in no fixed order.

    Where several ranks run this together, each takes its part of every batch, which holds `config.batch_size` images
    for each of them, and draws noise of its own.

    Arguments:
        make_step: makes the step for a device and a precision; its weights are drawn from torch's default generator.
        code: what decides the outcome and, with all that it reaches, belongs to the run's fingerprint; see
            `code_version`.
        evaluation: hashes of what `evaluate` needs in addition to the step, by name; they belong to the fingerprint too.
        evaluate: called after an epoch; its metrics join the epoch's row.
        snapshot: called after an epoch, counted from 1; weights to keep of it, or None.
        on_epoch: called with each row, those of earlier sessions included, and the seconds it took (None if earlier).

    Raises:
        DivergenceError: if a metric becomes NaN or infinite; the states saved before stay.
        Interrupted: after SIGINT or SIGTERM, once the state is saved.
        FashionDGMError: if there are fewer images than one batch.
    """
    device = resolve_device(config.device)
    precision = resolve_precision(config.precision, device)
    with _random_state_kept(device):
        torch.manual_seed(derive_seed(config.seed, "weights"))
        step = make_step(device, precision)

    fingerprint = fingerprint_of(config, data.sha256, code, device, precision, evaluation)
    run_store, state = from_main(lambda: _open(store, fingerprint, config.epochs))
    run = TrainedRun(step, [], {})
    begun = None if state is None else _restore(run, state, config.epochs, device)
    broadcast_parameters(step.networks().values())
    for row in run.history:
        on_epoch(row, None)

    images = torch.from_numpy(data.images).to(device)
    labels = torch.from_numpy(data.labels).to(device).long()
    begun_with = None if state is None or device.type != "cpu" else state["threads"][rank()]
    with stop_request() as stop, _threads(begun_with):
        threads = gathered(torch.get_num_threads())

        def save(further: Mapping[str, Any]) -> None:
            if bad := next(filter(None, gathered(_not_finite(step))), None):
                raise DivergenceError(
                    f"{bad} became NaN or infinite in epoch {epoch}. The state before is kept. Lower the learning rate or "
                    "set precision: float32, and run the same command again."
                )
            now = {"step": step.state_dict(), "history": run.history, "snapshots": run.snapshots, "threads": threads}
            from_main(lambda: run_store.save({**now, **further}))

        for epoch in range(len(run.history) + 1, config.epochs + 1):
            started = time.perf_counter()
            begun = begun or EpochProgress()
            _advance(begun, run, images, labels, config, epoch, save, stop)
            row = {"epoch": float(epoch), **begun.means_of_all(), **from_main(lambda: dict(evaluate(step)))}
            begun = None
            run.history.append(row)
            kept = snapshot(step, epoch)
            if kept is not None:
                run.snapshots[epoch] = {name: tensor.detach().cpu().clone() for name, tensor in kept.items()}
            save({})
            seconds = time.perf_counter() - started
            # The parts of a vector, such as class_fraction_3, make no line that anyone can read.
            shown = {name: value for name, value in row.items() if name != "epoch" and not name[-1].isdigit()}
            figures = "  ".join(f"{name} {value:.4g}" for name, value in shown.items())
            logger.info("epoch %d/%d  %s  %.1f s", epoch, config.epochs, figures, seconds)
            on_epoch(row, seconds)
            asked = stop.agreed()
            if asked and epoch < config.epochs:
                raise _going_on(asked, f"after epoch {epoch} of {config.epochs}")
    from_main(lambda: store.prune(run_store))
    return run


def _open(store: StateStore, fingerprint: Mapping[str, Any], epochs: int) -> tuple[RunStore, dict[str, Any] | None]:
    run_store = store.open(fingerprint)
    state = run_store.load()
    if state is not None and len(state["history"]) > epochs:
        # A longer run is worth more than the disk it takes: leave it alone.
        run_store = store.open(fingerprint, variant=f"-{epochs}-epochs")
        state = run_store.load()
    return run_store, state


def _advance(
    begun: EpochProgress,
    run: TrainedRun[Any],
    images: Tensor,
    labels: Tensor,
    config: TrainingConfig,
    epoch: int,
    save: Callable[[Mapping[str, Any]], None],
    stop: StopRequest,
) -> None:
    """Trains from the current step of an epoch to its end, over a permutation seeded by its number.

    A last batch smaller than the others is dropped: BatchNorm statistics of a handful of images are noise.
    """
    count = min(config.images_per_epoch or len(images), len(images))
    batch_size = config.batch_size * world_size()
    if count < batch_size:
        raise FashionDGMError(f"{count} images are less than one batch of {batch_size}; lower batch_size")
    device = images.device
    order = torch.randperm(len(images), generator=generator(config.seed, "order", epoch)).to(device)
    batches = order[: count - count % batch_size].view(-1, world_size(), config.batch_size)[:, rank()]
    with _random_state_kept(device), tf32(config.precision == "tf32"):
        torch.manual_seed(derive_seed(config.seed, "noise", epoch, *filter(None, [rank()])))
        _set_random_state(begun.random_state, device)
        # disable=None shows a bar on a terminal and nothing in a log.
        bar = tqdm(
            total=len(batches) * batch_size,
            initial=begun.done * batch_size,
            desc=f"epoch {epoch}/{config.epochs}",
            unit="image",
            unit_scale=True,
            leave=False,
            disable=None if is_main() else True,
        )
        with bar:
            for index in batches[begun.done :]:
                begun.add(run.step.step(images[index], labels[index]))
                bar.update(batch_size)
                # Reading a value makes the host wait for the device, so it is not done at every step.
                if begun.done % CHECK_EVERY == 0 or begun.done == len(batches):
                    begun.check_finite(epoch, len(batches))
                    bar.set_postfix({name: f"{value:.3g}" for name, value in list(begun.means().items())[:2]})
                asked = stop.agreed(begun.done)
                if asked and begun.done < len(batches):
                    begun.check_finite(epoch, len(batches))
                    begun.random_state = _random_state(device)
                    save({"epoch": gathered(begun.state())})
                    where = f"after step {begun.done} of {len(batches)} in epoch {epoch} of {config.epochs}"
                    raise _going_on(asked, where)


def _going_on(asked: signal.Signals, where: str) -> Interrupted:
    return Interrupted(
        f"stopped by {asked.name} {where}. The state is saved: the same command goes on from there.", asked
    )


def _restore(run: TrainedRun[Any], state: Mapping[str, Any], epochs: int, device: torch.device) -> EpochProgress | None:
    run.step.load_state_dict(state["step"])
    if (bad := _not_finite(run.step)) is not None:
        raise FashionDGMError(f"{bad} of the saved state are NaN or infinite: delete its folder and train again")
    run.history.extend(state["history"])
    run.snapshots.update(state["snapshots"])
    begun = EpochProgress.restored(state["epoch"][rank()], device) if "epoch" in state else None
    done = len(run.history)
    if done == epochs:
        logger.info("reusing the finished run of %d epochs", epochs)
    else:
        further = f" and {begun.done} steps" if begun else ""
        logger.info("going on after epoch %d%s of %d", done, further, epochs)
    return begun


def _not_finite(step: Step) -> str | None:
    """Returns which weights of a step hold NaN or infinite numbers, or None."""
    for name, network in step.networks().items():
        for tensor in network.state_dict().values():
            if tensor.is_floating_point() and not tensor.isfinite().all():
                return f"the weights of the {name}"
    return None


def _random_state(device: torch.device) -> dict[str, Tensor]:
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    if device.type == "mps":
        state["mps"] = torch.mps.get_rng_state()
    return state


def _set_random_state(state: Mapping[str, Tensor] | None, device: torch.device) -> None:
    if state is not None:
        torch.set_rng_state(state["cpu"].cpu())
        if device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda"].cpu(), device)
        if device.type == "mps":
            torch.mps.set_rng_state(state["mps"].cpu())


@contextmanager
def _random_state_kept(device: torch.device) -> Iterator[None]:
    """Gives the caller the random state back, as `torch.random.fork_rng` does, which cannot on mps."""
    before = _random_state(device)
    try:
        yield
    finally:
        _set_random_state(before, device)


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    """Computes with that many threads, on which the order of sums depends; None leaves it as it is."""
    before = torch.get_num_threads()
    if number is not None and number != before:
        logger.info("going on with %d threads, as the run began, and not with %d", number, before)
        torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
