"""GAN, WGAN and WGAN-GP against the plain loop: the training step alone, and an epoch with everything around it."""

import itertools
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from benchmarks.inputs import block, training_batch, training_images
from benchmarks.reference_gan import PlainAdversarial, PlainGAN, PlainWGAN, PlainWGANGP
from benchmarks.results import Row, compared, measured
from benchmarks.timing import interleave, wait_for
from fashion_dgm.config import AdversarialConfig
from fashion_dgm.data.images import to_unit_interval
from fashion_dgm.gans.steps import AdversarialStep
from fashion_dgm.training.device import resolve_precision
from fashion_dgm.training.loop import train
from fashion_dgm.training.store import StateStore

__all__ = ["run_gan", "run_wgan", "run_wgan_gp"]

FAMILIES: dict[str, tuple[str, type[PlainAdversarial]]] = {
    "GAN": ("train_gan", PlainGAN),
    "WGAN": ("train_wgan", PlainWGAN),
    "WGAN-GP": ("train_wgan_gp", PlainWGANGP),
}
WIDTHS = (64, 32)
# At width 64 and at 32.
ON_CPU = {"GAN": (2.2, 2.0), "WGAN": (2.0, 1.8), "WGAN-GP": (1.8, 1.8)}
ON_GPU = 10.0
# Seconds that the GAN, as assigned, may take for them on a GPU.
HUNDRED_EPOCHS = 60


def _family(family: str, device: torch.device, quick: bool) -> list[Row]:
    """Times steps at both widths and, but for WGAN-GP, epochs."""
    measures = (_steps,) if family == "WGAN-GP" else (_steps, _epochs)
    return [row for width in WIDTHS for measure in measures for row in measure(family, width, device, quick)]


run_gan, run_wgan, run_wgan_gp = (partial(_family, family) for family in FAMILIES)


def _steps(family: str, width: int, device: torch.device, quick: bool) -> list[Row]:
    """The step alone: the batch lies on the device, for ours as bytes, for the plain loop as the floats it works on."""
    # A multiple of the WGAN's five critic steps, so that every round holds as many steps of the generator.
    count = 10 if device.type == "cpu" else 100
    name, plain = FAMILIES[family]
    config = block(name, width=width, device=str(device))
    images, labels = training_batch(config.batch_size, device)
    floats = to_unit_interval(images)

    def ours(variant: AdversarialConfig) -> Callable[[], object]:
        torch.manual_seed(0)
        step = AdversarialStep(variant, device, resolve_precision(variant.precision, device))
        return lambda: [step.step(images, labels) for _ in range(count)]

    torch.manual_seed(0)
    reference = plain(config, device)
    variants = _variants(config, device)
    default = next(iter(variants))
    if default != "float32":
        variants["float32"] = config.model_copy(update={"precision": "float32"})
    contestants = {variant: ours(changed) for variant, changed in variants.items()}
    contestants["plain"] = lambda: [reference.step(floats) for _ in range(count)]
    timed = interleave(contestants, 2 if quick else 5, synchronize=wait_for(device))
    items = count * config.batch_size
    return [
        compared(
            f"{family} step, width {width}, {variant}",
            timed,
            variant,
            "plain",
            items=items,
            at_least=_goal(family, width, device) if variant == default else None,
        )
        for variant in variants
    ]


def _epochs(family: str, width: int, device: torch.device, quick: bool) -> list[Row]:
    """An epoch as `kedro run` does it, saved state included, against the plain loop with its loader processes."""
    name, plain = FAMILIES[family]
    count = (640 if quick else 1920 if width >= 64 else 3840) if device.type == "cpu" else 48_000
    config = block(name, width=width, device=str(device), epochs=1)
    images = training_images().take(slice(0, count))
    variants = _variants(config, device)
    with tempfile.TemporaryDirectory() as folder:
        numbers = itertools.count()

        def ours(variant: AdversarialConfig) -> None:
            store = StateStore(Path(folder) / str(next(numbers)))
            train(
                partial(AdversarialStep, variant), images, variant, store, ("fashion_dgm.gans", "fashion_dgm.training")
            )

        contestants: dict[str, Callable[[], object]] = {
            variant: partial(ours, changed) for variant, changed in variants.items()
        }
        contestants["workers"] = lambda: plain(config, device).epoch(images, workers=2)
        contestants["no workers"] = lambda: plain(config, device).epoch(images, workers=0)
        # The steps have warmed up the same kernels just before.
        timed = interleave(contestants, 1 if quick else 3, warmup=0, synchronize=wait_for(device))
    rows = [
        compared(
            f"{family} epoch of {count} images, width {width}, {variant}; reference with {workers} loader processes",
            timed,
            variant,
            contestant,
            items=count - count % config.batch_size,
            at_least=None if "library" in variant else _goal(family, width, device),
        )
        for variant in variants
        for contestant, workers in (("workers", 2), ("no workers", 0))
    ]
    if count == len(training_images()):
        rows += [
            measured(
                f"{family}, 100 epochs at this speed, width {width}, {variant}",
                100 * timed.median(variant),
                "s",
                at_most=HUNDRED_EPOCHS if family == "GAN" and width == WIDTHS[0] else None,
            )
            for variant in variants
        ]
    return rows


def _goal(family: str, width: int, device: torch.device) -> float:
    return ON_GPU if device.type == "cuda" else ON_CPU[family][WIDTHS.index(width)]


def _variants(config: AdversarialConfig, device: torch.device) -> dict[str, AdversarialConfig]:
    """The parameters as they are, and on a GPU with CUDA graphs, on a CPU with the library's convolutions."""
    precision = str(resolve_precision(config.precision, device)).removeprefix("torch.")
    variants = {precision: config}
    if device.type == "cuda":
        graphs = config.speed.model_copy(update={"compile": "reduce-overhead"})
        variants[f"{precision}, CUDA graphs"] = config.model_copy(update={"speed": graphs})
    else:
        library = config.speed.model_copy(update={"convolutions": "library"})
        variants[f"{precision}, library's convolutions"] = config.model_copy(update={"speed": library})
    return variants
