"""Training of the reference classifier from its parameters to its checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from fashion_dgm.checkpoint import Checkpoint, checkpoint_of
from fashion_dgm.classifier.network import Classifier, accuracy
from fashion_dgm.config import ClassifierConfig
from fashion_dgm.data.augment import random_flip, random_shift
from fashion_dgm.data.images import ImageSet, to_unit_interval
from fashion_dgm.training.distributed.ranks import average_gradients
from fashion_dgm.training.epoch import EpochRow
from fashion_dgm.training.loop import OnEpoch, train
from fashion_dgm.training.optimizers import make_optimizer, set_learning_rate
from fashion_dgm.training.speed import accelerate, begin_step
from fashion_dgm.training.step import StatefulStep

if TYPE_CHECKING:
    from fashion_dgm.training.store import StateStore

__all__ = ["ClassifierStep", "train_classifier"]

CODE = (f"{__name__}:train_classifier",)


class ClassifierStep(StatefulStep):
    """One step of cross-entropy training."""

    state = ("classifier", "optimizer", "steps")

    def __init__(self, config: ClassifierConfig, device: torch.device, precision: torch.dtype) -> None:
        self.device, self.precision, self.config = device, precision, config
        self.classifier = accelerate(Classifier(config.width, config.feature_dim), config.speed, device)
        self.optimizer = make_optimizer(config.optimizer, self.classifier.parameters(), config.speed.fused_optimizer)
        self.steps = 0

    def step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Learns from uint8 images `(B, 1, 28, 28)` and int64 labels `(B,)`."""
        begin_step(self.config.speed)
        seen = random_flip(images) if self.config.flip else images
        seen = random_shift(seen, self.config.max_shift)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == torch.bfloat16):
            logits = self.classifier(to_unit_interval(seen))
        loss = F.cross_entropy(logits, labels, label_smoothing=self.config.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(self.classifier.parameters())
        set_learning_rate(self.optimizer, self.config.optimizer.learning_rate, self.config.schedule, self.steps)
        self.optimizer.step()
        self.steps += 1
        correct = (logits.detach().argmax(dim=1) == labels).float().mean()
        return {"cross_entropy": loss.detach(), "accuracy": correct}


def train_classifier(
    data: ImageSet,
    test: ImageSet,
    benchmark: ImageSet,
    config: ClassifierConfig,
    store: StateStore,
    on_epoch: OnEpoch,
) -> tuple[Checkpoint, list[EpochRow]]:
    """Trains on `data`, follows accuracy on `test`, and measures it once on `benchmark`.

    Returns:
        The network, whose accuracies are in the checkpoint's `training`, and its history.
    """

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
    origin = {
        "seed": config.seed,
        "epoch": config.epochs,
        "data_sha256": data.sha256,
        "test_accuracy": run.history[-1]["test_accuracy"],
        "benchmark_accuracy": accuracy_on(run.step, benchmark),
    }
    return checkpoint_of(run.step.classifier, "Classifier", architecture, origin), run.history
