"""GAN and WGAN against the plain loop: the training step alone, and an epoch with everything around it."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.inputs import block, training_images
from benchmarks.reference_gan import PlainAdversarial, PlainGAN, PlainWGAN
from benchmarks.results import Row, compared
from benchmarks.timing import interleave, wait_for
from fashion_dgm.config import AdversarialConfig
from fashion_dgm.data.images import ImageSet, to_unit_interval
from fashion_dgm.gans.steps import AdversarialStep
from fashion_dgm.training.device import resolve_precision
from fashion_dgm.training.loop import train
from fashion_dgm.training.store import StateStore

__all__ = ["run"]

FAMILIES: dict[str, tuple[str, type[PlainAdversarial]]] = {
    "GAN": ("train_gan", PlainGAN),
    "WGAN": ("train_wgan", PlainWGAN),
}
WIDTHS = (64, 32)
GOAL = {"cpu": 2.0, "cuda": 10.0}


def run(family: str, device: torch.device, quick: bool) -> list[Row]:
    """Times steps and epochs of a family, "GAN" or "WGAN", at both widths."""
    rows = []
    for width in WIDTHS:
        rows += _steps(family, width, device, quick)
        rows += _epochs(family, width, device, quick)
    return rows


def _steps(family: str, width: int, device: torch.device, quick: bool) -> list[Row]:
    """The step alone: the batch lies on the device, for ours as bytes, for the plain loop as the floats it works on."""
    # A multiple of the WGAN's five critic steps, so that every round holds as many steps of the generator.
    count = 5 if device.type == "cpu" else 100
    name, plain = FAMILIES[family]
    config = block(name, width=width, device=str(device))
    batch = training_images().take(slice(0, config.batch_size))
    images = torch.from_numpy(batch.images).to(device)
    labels = torch.from_numpy(batch.labels).to(device).long()
    floats = to_unit_interval(images)
    default = resolve_precision(config.precision, device)

    def ours_in(precision: torch.dtype) -> Callable[[], object]:
        torch.manual_seed(0)
        step = AdversarialStep(config, device, precision)
        return lambda: [step.step(images, labels) for _ in range(count)]

    torch.manual_seed(0)
    reference = plain(config, device)
    contestants: dict[str, Callable[[], object]] = {"default": ours_in(default)}
    if default != torch.float32:
        contestants["float32"] = ours_in(torch.float32)
    contestants["plain"] = lambda: [reference.step(floats) for _ in range(count)]
    timed = interleave(contestants, 2 if quick else 5, synchronize=wait_for(device))
    items = count * config.batch_size
    return [
        compared(
            f"{family} step, width {width}, {_precision(precision)}",
            timed,
            contestant,
            "plain",
            items=items,
            at_least=GOAL.get(device.type) if contestant == "default" else None,
        )
        for contestant, precision in (("default", default), ("float32", torch.float32))
        if contestant in contestants
    ]


def _epochs(family: str, width: int, device: torch.device, quick: bool) -> list[Row]:
    """An epoch as `kedro run` does it, saved state included, against the plain loop with its loader processes."""
    name, plain = FAMILIES[family]
    count = (640 if quick else 1920 if width >= 64 else 3840) if device.type == "cpu" else 48_000
    config = block(name, width=width, device=str(device), epochs=1)
    images = training_images().take(slice(0, count))
    precision = _precision(resolve_precision(config.precision, device))
    with tempfile.TemporaryDirectory() as folder:
        numbers = itertools.count()
        contestants: dict[str, Callable[[], object]] = {
            "ours": lambda: _train(images, config, Path(folder) / str(next(numbers))),
            "workers": lambda: plain(config, device).epoch(images, workers=2),
            "no workers": lambda: plain(config, device).epoch(images, workers=0),
        }
        # The steps have warmed up the same kernels just before.
        timed = interleave(contestants, 1 if quick else 3, warmup=0, synchronize=wait_for(device))
    return [
        compared(
            f"{family} epoch of {count} images, width {width}, {precision}; reference with {workers} loader processes",
            timed,
            "ours",
            contestant,
            items=count - count % config.batch_size,
            at_least=GOAL.get(device.type),
        )
        for contestant, workers in (("workers", 2), ("no workers", 0))
    ]


def _train(images: ImageSet, config: AdversarialConfig, folder: Path) -> Any:
    packages = ("fashion_dgm.gans", "fashion_dgm.training")
    return train(
        lambda device, precision: AdversarialStep(config, device, precision),
        images,
        config,
        StateStore(folder),
        packages,
    )


def _precision(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
