"""How close the GAN's step comes to what this machine can do."""

from collections.abc import Callable

import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.inputs import block, training_batch
from benchmarks.results import Row, measured
from benchmarks.timing import interleave, wait_for
from fashion_dgm.gans.steps import AdversarialStep
from fashion_dgm.training.device import resolve_precision

__all__ = ["run"]


def run(device: torch.device, quick: bool) -> list[Row]:
    """Measures FLOP/s of the step, of a large matrix product and of a large convolution, in each precision."""
    default = resolve_precision("auto", device)
    precisions = dict.fromkeys((default, torch.float32))
    return [row for precision in precisions for row in _precision(device, precision, 2 if quick else 5)]


def _precision(device: torch.device, precision: torch.dtype, rounds: int) -> list[Row]:
    name = str(precision).removeprefix("torch.")
    contestants: dict[str, Callable[[], object]] = {}
    work: dict[str, float] = {}

    size = 2048 if device.type == "cpu" else 8192
    matrix = torch.randn(size, size, device=device, dtype=precision)
    contestants["matrix product"], work["matrix product"] = (lambda: matrix @ matrix), 2.0 * size**3

    batch, channels, side = (64, 128, 28) if device.type == "cpu" else (512, 256, 28)
    images = torch.randn(batch, channels, side, side, device=device, dtype=precision)
    images = images.to(memory_format=torch.channels_last)
    weight = torch.randn(channels, channels, 3, 3, device=device, dtype=precision)
    weight = weight.to(memory_format=torch.channels_last)
    contestants["convolution"] = lambda: F.conv2d(images, weight, padding=1)
    work["convolution"] = 2.0 * batch * side * side * channels**2 * 9

    for size in (64, 512):
        contestants[f"GAN step, batch {size}"], work[f"GAN step, batch {size}"] = _step(device, precision, size)
    # No gradients for the reference operations: their inputs require none.
    timed = interleave(contestants, rounds, warmup=2, synchronize=wait_for(device))
    rate = {contestant: flops / timed.median(contestant) for contestant, flops in work.items()}
    rows = [measured(f"{contestant}, {name}", value / 1e9, "GFLOP/s") for contestant, value in rate.items()]
    rows += [
        measured(f"{step}, {name}: fraction of the {reference}", 100 * rate[step] / rate[reference], "%")
        for step in rate
        for reference in ("matrix product", "convolution")
        if step.startswith("GAN")
    ]
    return rows


def _step(device: torch.device, precision: torch.dtype, batch: int) -> tuple[Callable[[], object], float]:
    """Returns a step at the assignment's width and its floating point operations, a multiply-add counted as two."""
    images, labels = training_batch(batch, device)
    torch.manual_seed(0)
    step = AdversarialStep(block("train_gan", device=str(device)), device, precision)
    step.step(images, labels)
    with FlopCounterMode(display=False) as counter:
        step.step(images, labels)
    return (lambda: step.step(images, labels)), float(counter.get_total_flops())
