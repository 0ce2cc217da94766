"""Cost against size: the GAN's step over batch and width, the classifier distance over the number of samples."""

from functools import partial

import torch

from benchmarks.inputs import block, training_batch, training_images
from benchmarks.results import Row, measured
from benchmarks.timing import interleave, wait_for
from fashion_dgm.classifier.network import Classifier
from fashion_dgm.evaluation.features import classifier_space
from fashion_dgm.gans.steps import AdversarialStep
from fashion_dgm.metrics.frechet import Gaussian, frechet_distance
from fashion_dgm.training.device import resolve_precision

__all__ = ["run"]

BATCHES = (64, 256, 1024, 4096)
WIDTHS = (16, 32, 64, 128)
SAMPLES = (1000, 2000, 5000, 10_000)


def run(device: torch.device, quick: bool) -> list[Row]:
    """Times the assignment's GAN at other batches and widths, and the distance at other N."""
    config = block("train_gan")
    sizes = [(config.width, batch) for batch in BATCHES]
    sizes += [(width, config.batch_size) for width in WIDTHS if width != config.width]
    return [row for size in sizes for row in _step(*size, device, quick)] + _distances(device, quick)


def _step(width: int, batch: int, device: torch.device, quick: bool) -> list[Row]:
    config = block("train_gan", width=width, batch_size=batch, device=str(device))
    images, labels = training_batch(batch, device)
    torch.manual_seed(0)
    step = AdversarialStep(config, device, resolve_precision(config.precision, device))
    count = max(1, 512 // batch) if device.type == "cpu" else 20
    timed = interleave(
        {"step": lambda: [step.step(images, labels) for _ in range(count)]},
        1 if quick else 3,
        synchronize=wait_for(device),
    )
    rate = count / timed.median("step")
    what = f"GAN step, width {width}, batch {batch}"
    return [measured(what, rate, "steps/s"), measured(what, rate * batch, "images/s")]


def _distances(device: torch.device, quick: bool) -> list[Row]:
    config = block("train_classifier")
    torch.manual_seed(0)
    space = classifier_space(Classifier(config.width, config.feature_dim), device)
    batch = 200
    images = torch.from_numpy(training_images().images)
    real = Gaussian.fit(space(images[: SAMPLES[-1]], device, batch))

    def distance(count: int) -> float:
        return frechet_distance(real, Gaussian.fit(space(images[-count:], device, batch)))

    rows = []
    for count in SAMPLES:
        timed = interleave({"distance": partial(distance, count)}, 1 if quick else 3)
        what = f"classifier distance of {count} images, features included"
        rows.append(measured(what, timed.median("distance"), "s"))
    return rows
