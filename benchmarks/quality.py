"""Scores the models at equal budget: trained fast, plainly, and by the loop that everyone copies.

Fast is what `conf` sets: bfloat16 convolutions where the hardware has them, channels last, fused optimizers. Plain is
float32, NCHW, optimizers one tensor at a time. Both see the same images in the same order, from the same initial weights.
The reference is the loop of `benchmarks.reference_gan`, with the same networks, optimizers, batches and number of steps;
its images come in an order of its own. Seeds, budget and scoring are the same for all.

Run as `python -m benchmarks.quality` after `make run`; it writes `benchmarks/results/quality.json` and prints the rows.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.hardware import ROOT
from benchmarks.inputs import block, training_images
from benchmarks.reference_gan import PlainAdversarial, PlainGAN, PlainWGAN
from fashion_dgm.catalog.image_set import ImageSetDataset
from fashion_dgm.classifier.reference import reference_classifier
from fashion_dgm.config import SpeedConfig
from fashion_dgm.evaluation.features import classifier_space
from fashion_dgm.files import atomic_path
from fashion_dgm.flows.training import train_flow
from fashion_dgm.gans.networks import Generator
from fashion_dgm.gans.training import train_gan
from fashion_dgm.metrics.frechet import Gaussian, frechet_distance
from fashion_dgm.registry import build_model
from fashion_dgm.training.device import resolve_device, resolve_precision
from fashion_dgm.training.store import StateStore

RESULTS = ROOT / "benchmarks" / "results" / "quality.json"
SAMPLES = 5000
PLAIN = {"precision": "float32", "speed": SpeedConfig(channels_last=False, fused_optimizer=False, compile="none")}
DISTANCE = f"Fréchet classifier distance to test, N = {SAMPLES}"
MODELS = {"flow": "bits/dim on test", "gan": DISTANCE, "wgan": DISTANCE}
REFERENCES: dict[str, Callable[[Any, torch.device], PlainAdversarial]] = {"gan": PlainGAN, "wgan": PlainWGAN}


class Scorer:
    """Trains one model one way from one seed, and scores it.

    Arguments:
        budget: `epochs` and `images_per_epoch`, the same for every way.
    """

    def __init__(self, budget: dict[str, int]) -> None:
        self.budget = budget
        self.train = training_images()
        self.test = ImageSetDataset(filepath=str(ROOT / "data" / "05_model_input" / "test.npz")).load()
        self.device = resolve_device("auto")
        self.space = classifier_space(reference_classifier(), self.device)
        some = torch.from_numpy(self.test.images[:SAMPLES])
        self.real = Gaussian.fit(self.space(some, self.device, batch_size=500))

    def ways(self, model: str) -> dict[str, Callable[[int], float]]:
        """Returns the ways to train `model`, each from a seed to a score of which less is better."""
        found = {
            "fast": lambda seed: self._ours(model, self._config(model, seed)),
            "plain": lambda seed: self._ours(model, self._config(model, seed, **PLAIN)),
        }
        if model in REFERENCES:
            found["reference"] = lambda seed: self._reference(model, self._config(model, seed))
        return found

    def _config(self, model: str, seed: int, **changes: Any) -> Any:
        return block(f"train_{model}", "quick", **self.budget, seed=seed, **changes)

    def _ours(self, model: str, config: Any) -> float:
        with tempfile.TemporaryDirectory() as folder:
            store = StateStore(Path(folder))
            if model == "flow":
                return train_flow(self.train, self.test, config, store, _ignore).metrics["test_bits_per_dim"]
            network = build_model(train_gan(self.train, config, store, _ignore).generator, "Generator")
        assert isinstance(network, Generator)
        return self._distance(network)

    def _reference(self, model: str, config: Any) -> float:
        torch.manual_seed(config.seed)
        rng = np.random.default_rng(config.seed)
        loop = REFERENCES[model](config, self.device)
        for _ in range(config.epochs):
            drawn = rng.choice(len(self.train), size=config.images_per_epoch, replace=False)
            loop.epoch(self.train.take(drawn), workers=2)
        return self._distance(loop.generator)

    def _distance(self, network: Generator) -> float:
        fake = network.to(self.device).eval().sample(SAMPLES, torch.Generator().manual_seed(0))
        return frechet_distance(self.real, Gaussian.fit(self.space(fake, self.device, batch_size=500)))


def _ignore(row: dict[str, float], seconds: float | None) -> None:
    """Nothing is tracked."""


def main() -> None:
    """Trains each model every way from each seed, and replaces the saved results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--only", action="append", choices=MODELS, help="a model; all if left out")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--images", type=int, default=12_000, help="images an epoch")
    options = parser.parse_args()
    budget = {"epochs": options.epochs, "images_per_epoch": options.images}
    score = Scorer(budget)
    saved = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"] if RESULTS.is_file() else []
    rows = [row for row in saved if row["model"] not in (options.only or MODELS)]
    for model in options.only or MODELS:
        for way, train in score.ways(model).items():
            values = [train(seed) for seed in range(options.seeds)]
            rows.append({"model": model, "measure": MODELS[model], "way": way, **budget, "values": values})
            spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
            print(f"{model:5} {way:10} {statistics.mean(values):8.3f}{spread}", values, flush=True)
    precision = str(resolve_precision("auto", score.device)).removeprefix("torch.")
    result = {"torch": torch.__version__, "fast_precision": precision, "rows": rows}
    with atomic_path(RESULTS) as temporary:
        temporary.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
