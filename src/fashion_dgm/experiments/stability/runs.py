"""Training and scoring of the study's runs, each of which is kept and found again."""

import hashlib
import json
import logging
import math
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fashion_dgm.checkpoint import Checkpoint, weights_sha256
from fashion_dgm.classifier.network import build_classifier
from fashion_dgm.config import AdversarialConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.evaluation.features import FeatureSpace, classifier_space
from fashion_dgm.experiments.stability.grid import Plan
from fashion_dgm.experiments.stability.measures import RunRecord, Score
from fashion_dgm.files import DAMAGED, atomic_path, opened
from fashion_dgm.gans import training
from fashion_dgm.gans.networks import Generator
from fashion_dgm.gans.steps import generator_arguments
from fashion_dgm.metrics.frechet import Gaussian, frechet_distance
from fashion_dgm.metrics.modes import class_fractions
from fashion_dgm.registry import build_model
from fashion_dgm.training.device import resolve_device, resolve_precision
from fashion_dgm.training.epoch import DivergenceError, EpochRow
from fashion_dgm.training.fingerprint import fingerprint_of
from fashion_dgm.training.seeds import derive_seed, generator
from fashion_dgm.training.store import StateStore

__all__ = ["Study", "conduct"]

logger = logging.getLogger(__name__)

PACKAGES = (*training.PACKAGES, "fashion_dgm.experiments.stability.runs", "fashion_dgm.metrics.frechet")
SCORING_BATCH = 500


@dataclass(frozen=True, eq=False)
class Study:
    """What all runs share, so that any process can do any of them.

    Arguments:
        train: what they train on.
        test: held-out images, whose distance to `benchmark` is the floor.
        benchmark: the official test images, to which distances are measured; nothing is chosen by them.
        classifier: gives the features.
        samples: on each side of a distance.
        folder: a subfolder a run, of its state and its record.
    """

    train: ImageSet
    test: ImageSet
    benchmark: ImageSet
    classifier: Checkpoint
    samples: int
    folder: Path

    def run(self, plan: Plan) -> RunRecord:
        """Returns the record of a run: the one on disk if it is of the same run, else after training and scoring.

        A run that diverges is a result. Its epochs before are scored like any other's.

        Raises:
            Interrupted: after SIGINT or SIGTERM, once the state is saved.
        """
        path, key = self.folder / plan.name / "record.json", self._key(plan)
        kept = _read(path, key)
        if kept is not None:
            return kept
        store = StateStore(self.folder / plan.name / "state")
        record = self._scored(*_trained(plan, self.train, store), device=resolve_device(plan.config.device))
        with atomic_path(path) as temporary:
            content = {"key": key, "sha256": _sha256(record.to_json()), "record": record.to_json()}
            temporary.write_text(json.dumps(content, allow_nan=False), encoding="utf-8")
        # Networks of dozens of runs are a burden once all that is asked of them is known.
        shutil.rmtree(store.folder, ignore_errors=True)
        return record

    def reference(self, config: AdversarialConfig) -> dict[str, Any]:
        """Returns what a distance is to be read with.

        Arguments:
            config: of some run, for the generator's size and the device.

        Returns:
            N, the feature space, and the distances to the official test images of held-out images (`floor`, which no
            generator is expected to beat), of training images (`training`, which the classifier has learned) and of an
            untrained generator's images (`untrained`).
        """
        device = resolve_device(config.device)
        space, real = self._real(device)
        with torch.random.fork_rng():
            torch.manual_seed(derive_seed(0, "stability", "untrained"))
            untrained = Generator(**generator_arguments(config)).to(device)

        def distance(images: torch.Tensor) -> float:
            return frechet_distance(real, Gaussian.fit(space(images, device, SCORING_BATCH)))

        return {
            "samples": real.count,
            "floor": distance(_drawn(self.test, real.count, "held out")),
            "training": distance(_drawn(self.train, real.count, "training")),
            "untrained": distance(_sampled(untrained, real.count)),
            "feature_space": {"label": space.label, "dimension": space.dimension, "sha256": space.weights_sha256},
        }

    def _real(self, device: torch.device) -> tuple[FeatureSpace, Gaussian]:
        space = classifier_space(build_classifier(self.classifier), device)
        # The same real images and latents for every run: what differs between two is the generators alone.
        n = min(self.samples, len(self.benchmark), len(self.test), len(self.train))
        return space, Gaussian.fit(space(_drawn(self.benchmark, n, "real"), device, SCORING_BATCH))

    def _key(self, plan: Plan) -> str:
        """Twelve digits that stand for all that the record depends on."""
        config, device = plan.config, resolve_device(plan.config.device)
        precision = resolve_precision(config.precision, device)
        parts = fingerprint_of(config, self.train.sha256, PACKAGES, device, precision)
        parts |= {"epochs": config.epochs, "samples": self.samples, "benchmark": self.benchmark.sha256}
        parts |= {"held_out": len(self.test), "classifier": weights_sha256(self.classifier.weights)}
        return _sha256(parts)[:12]

    def _scored(self, record: RunRecord, snapshots: dict[int, Checkpoint], device: torch.device) -> RunRecord:
        space, real = self._real(device)
        network = build_classifier(self.classifier).to(device)
        scores: list[Score] = []
        for epoch, checkpoint in snapshots.items():
            made = build_model(checkpoint, "Generator").to(device)
            assert isinstance(made, Generator)
            features = space(_sampled(made, real.count), device, SCORING_BATCH)
            if not np.isfinite(features).all():
                reason = f"the generator's images were no longer finite in epoch {epoch}"
                return replace(record, status="diverged", reason=reason, scores=scores)
            fractions = class_fractions(network.head, torch.from_numpy(features).to(device)).tolist()
            scores.append(Score(epoch, frechet_distance(real, Gaussian.fit(features)), tuple(fractions)))
        return replace(record, scores=scores)


def conduct(
    study: Study,
    runs: list[Plan],
    spread: Callable[[Study, list[Plan]], Iterable[RunRecord]] | None = None,
    on_run: Callable[[int, RunRecord], None] = lambda number, record: None,
) -> list[RunRecord]:
    """Returns the records of all runs in their order.

    Arguments:
        spread: does several runs at a time, and yields their records in order; one after another if None.
        on_run: called with each record and its number, from 1.

    Raises:
        FashionDGMError: if an epoch of some run needs more images than there are.
    """
    for plan in runs:
        wanted = plan.config.images_per_epoch or 0
        if wanted > len(study.train):
            raise FashionDGMError(
                f"{plan.name} needs {wanted} images an epoch and there are {len(study.train)}: "
                "lower stability.generator_steps or stability.batch_size, and raise stability.epochs instead"
            )
    records = []
    for number, record in enumerate(spread(study, runs) if spread else map(study.run, runs), start=1):
        distance = record.scores[-1].distance if record.scores else math.nan
        where = f"{record.model}, {record.variation}, seed {record.seed}"
        logger.info("run %d/%d  %s: %s, distance %.4g", number, len(runs), where, record.status, distance)
        on_run(number, record)
        records.append(record)
    return records


def _drawn(images: ImageSet, n: int, purpose: str) -> torch.Tensor:
    rng = np.random.default_rng(derive_seed(0, "stability", purpose))
    return torch.from_numpy(images.images[np.sort(rng.choice(len(images), size=n, replace=False))])


def _sampled(made: Generator, n: int) -> torch.Tensor:
    return made.sample(n, generator(0, "stability", "latents"), SCORING_BATCH)


def _sha256(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _read(path: Path, key: str) -> RunRecord | None:
    try:
        with opened(path) as file:
            content = json.load(file)
        if content["key"] != key:
            return None
        if content["sha256"] != _sha256(content["record"]):
            raise ValueError("its content differs from its SHA-256")
        return RunRecord.from_json(content["record"])
    except FileNotFoundError:
        return None
    except DAMAGED as error:
        logger.warning("%s is damaged (%s); the run is done again", path, error)
        return None


def _trained(plan: Plan, data: ImageSet, store: StateStore) -> tuple[RunRecord, dict[int, Checkpoint]]:
    config = plan.config
    history: list[EpochRow] = []
    record = RunRecord(plan.model, plan.variation, plan.seed, "finished", "", config.epochs, _settings(plan))
    try:
        trained = _train(plan, config.epochs, data, store, history)
    except DivergenceError as error:
        # The rest of the message tells a user who wanted the model how to go on; here the failure is what was asked for.
        reason = str(error).split(". ")[0]
        logger.warning("%s: %s", plan.name, reason)
        record = replace(record, status="diverged", reason=reason, history=history)
        # What was saved before is a finished run of fewer epochs, and is read as one.
        return record, _train(plan, len(history), data, store, []).snapshots if history else {}
    return replace(record, history=trained.history), trained.snapshots


def _settings(plan: Plan) -> dict[str, Any]:
    return {
        "learning_rate": plan.config.optimizer.learning_rate,
        "discriminator_steps": plan.discriminator_steps,
        **{f"normalisation_{name}": kind for name, kind in plan.config.normalisation.model_dump().items()},
    }


def _train(plan: Plan, epochs: int, data: ImageSet, store: StateStore, history: list[EpochRow]) -> training.TrainedGAN:
    config = plan.config.model_copy(update={"epochs": epochs})

    def keep(row: EpochRow, seconds: float | None) -> None:
        history.append(row)

    return training.train_gan(data, config, store, keep)
