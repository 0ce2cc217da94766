"""Evaluation after each epoch of adversarial training, in addition to the means over its steps.

The images are the same after every epoch, real ones as well as the latents, so that curves show the networks and not the
draw. The generator is in evaluation mode; the discriminator scores the same images under both of BatchNorm's statistics,
and the names of its diagnostics end in `_running_stats` or `_batch_stats`. Nothing here touches the random state of
training.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from fashion_dgm.checkpoint import Checkpoint
from fashion_dgm.classifier.network import build_classifier
from fashion_dgm.config import AdversarialConfig
from fashion_dgm.data.images import ImageSet, to_unit_interval
from fashion_dgm.gans.networks import Generator, averaged_generator
from fashion_dgm.gans.steps import AdversarialStep
from fashion_dgm.metrics.memorisation import copying_probability, nearest
from fashion_dgm.metrics.modes import class_entropy, class_fractions, missing_classes
from fashion_dgm.training.seeds import derive_seed, generator

__all__ = ["STATISTICS", "EvaluationData", "Evaluator", "Statistics", "score", "whole_batches"]


Statistics = Literal["running_stats", "batch_stats"]
STATISTICS: tuple[Statistics, ...] = get_args(Statistics)


@torch.no_grad()
def score(network: nn.Module, images: Tensor, batch_size: int, statistics: Statistics) -> Tensor:
    """Returns scores `(N,)` of images `(N, 1, 28, 28)` of one kind, in batches of `batch_size` in their order.

    In training, BatchNorm normalises by the batch (Ioffe and Szegedy, 2015, algorithm 2), and real and generated images
    come in batches of their own: the batch gives away which it is (Salimans et al., 2016, section 3.4). In evaluation
    mode it normalises by means over batches of both kinds. The two are different functions of an image, and their scores
    cannot be compared. All other layers are in evaluation mode. A copy does the work, so `network` keeps its state and
    its mode.

    Arguments:
        statistics: "running_stats" or, as in training, "batch_stats"; without BatchNorm they are the same.
    """
    network = copy.deepcopy(network).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.train(statistics == "batch_stats")
    return torch.cat([network(batch) for batch in images.split(batch_size)])


def whole_batches(images: Tensor, batch_size: int) -> Tensor:
    """Returns the first images, as many as fill batches; all of them where they are fewer than one batch."""
    return images[: max(1, len(images) // batch_size) * batch_size]


@dataclass(frozen=True, eq=False)
class EvaluationData:
    """What samples are evaluated with, in addition to the discriminator.

    Arguments:
        held_out: images that training never sees.
        classifier: checkpoint of a `Classifier`.
    """

    held_out: ImageSet
    classifier: Checkpoint


class Evaluator:
    """Evaluates a step's networks on training images, held-out images, and by a classifier.

    Nothing is moved to the device before the first call: of several ranks, one calls.

    Arguments:
        train: the images that the networks learn from.
        evaluation_data: held-out images and classifier.
        config: how many images, and the seed that picks them.
    """

    def __init__(self, train: ImageSet, evaluation_data: EvaluationData, config: AdversarialConfig) -> None:
        self.train, self.evaluation_data, self.config = train, evaluation_data, config
        self._ready = False

    @torch.no_grad()
    def __call__(self, step: AdversarialStep) -> dict[str, float]:
        """Returns the metrics of an epoch that has just ended, names as in `docs/how-to/mlflow.md`."""
        self._prepare(step.device)
        fake = self._samples(step.generator)
        metrics: dict[str, float] = {}
        for statistics in STATISTICS:
            metrics |= self._of_discriminator(step, fake, statistics)
        metrics |= self._of_samples(fake)
        metrics["nearest_distance_held_out"] = float(self._unseen_distances.mean())
        if step.average is not None:
            of_average = self._of_samples(self._samples(averaged_generator(step.average.average, self.config)))
            metrics |= {f"average_{name}": value for name, value in of_average.items()}
        return metrics

    def _of_discriminator(self, step: AdversarialStep, fake: Tensor, statistics: Statistics) -> dict[str, float]:
        size = self.config.batch_size
        seen, unseen, generated = (
            score(step.discriminator, whole_batches(images, size), size, statistics)
            for images in (self._seen, self._unseen, fake)
        )
        found = step.objective.diagnostics(seen, unseen, generated)
        found |= {"score_seen": seen.mean(), "score_held_out": unseen.mean(), "score_generated": generated.mean()}
        if statistics == "running_stats":
            # Of the first two means; with batch statistics, scores are not independent.
            found["score_gap_error"] = (seen.var() / len(seen) + unseen.var() / len(unseen)).sqrt()
        return {f"{name}_{statistics}": float(value) for name, value in found.items()}

    def _samples(self, network: Generator) -> Tensor:
        latents = generator(self.config.seed, "records")
        return network.sample(self.config.records.samples, latents)

    def _of_samples(self, fake: Tensor) -> Mapping[str, float]:
        records = self.config.records
        fractions = class_fractions(self._classifier, fake)
        distances, _ = nearest(fake[: records.neighbours], self._train)
        return {
            "class_entropy": class_entropy(fractions),
            "missing_classes": float(missing_classes(fractions, records.least_fraction)),
            **{f"class_fraction_{label}": float(fraction) for label, fraction in enumerate(fractions)},
            "nearest_distance_fake": float(distances.mean()),
            "copying_probability": copying_probability(distances, self._unseen_distances),
        }

    def _prepare(self, device: torch.device) -> None:
        if self._ready:
            return
        records = self.config.records
        # Building a network draws random weights, even if it then loads others.
        with torch.random.fork_rng(devices=[]):
            classifier = build_classifier(self.evaluation_data.classifier)
        self._classifier = classifier.to(device)
        self._train = torch.from_numpy(self.train.images).to(device)
        self._seen = self._draw(self.train, device)
        self._unseen = self._draw(self.evaluation_data.held_out, device)
        self._unseen_distances, _ = nearest(self._unseen[: records.neighbours], self._train)
        self._ready = True

    def _draw(self, images: ImageSet, device: torch.device) -> Tensor:
        rng = np.random.default_rng(derive_seed(self.config.seed, "records"))
        index = rng.choice(len(images), size=min(self.config.records.samples, len(images)), replace=False)
        return to_unit_interval(torch.from_numpy(images.images[index]).to(device))
