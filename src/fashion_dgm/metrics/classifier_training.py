"""Training of the reference classifier from its parameters to its checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from fashion_dgm.checkpoint import Checkpoint, checkpoint_of
from fashion_dgm.config import ClassifierConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.metrics.classifier import ClassifierStep, accuracy
from fashion_dgm.training.epoch import EpochRow
from fashion_dgm.training.loop import OnEpoch, train
from fashion_dgm.training.store import StateStore

__all__ = ["TrainedClassifier", "train_classifier"]

CODE = (f"{__name__}:train_classifier",)


@dataclass(frozen=True)
class TrainedClassifier:
    """The network, its history and its accuracy on images it never saw."""

    classifier: Checkpoint
    history: list[EpochRow]
    benchmark_accuracy: float


def train_classifier(
    data: ImageSet,
    test: ImageSet,
    benchmark: ImageSet,
    config: ClassifierConfig,
    store: StateStore,
    on_epoch: OnEpoch,
) -> TrainedClassifier:
    """Trains on `data`, follows accuracy on `test`, and measures it once on `benchmark`."""

    def accuracy_on(step: ClassifierStep, images: ImageSet) -> float:
        pixels, labels = torch.from_numpy(images.images), torch.from_numpy(images.labels)
        return accuracy(step.classifier, pixels.to(step.device), labels.to(step.device))

    run = train(
        lambda device, precision: ClassifierStep(config, device, precision),
        data,
        config,
        store,
        CODE,
        evaluation={"test": test.sha256},
        evaluate=lambda step: {"test_accuracy": accuracy_on(step, test)},
        on_epoch=on_epoch,
    )
    architecture = {"width": config.width, "feature_dim": config.feature_dim}
    accuracies = {
        "test_accuracy": run.history[-1]["test_accuracy"],
        "benchmark_accuracy": accuracy_on(run.step, benchmark),
    }
    origin = {"seed": config.seed, "epoch": config.epochs, "data_sha256": data.sha256, **accuracies}
    return TrainedClassifier(
        classifier=checkpoint_of(run.step.classifier, "Classifier", architecture, origin),
        history=run.history,
        benchmark_accuracy=accuracies["benchmark_accuracy"],
    )
