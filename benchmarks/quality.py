"""Does the fast way of training cost quality? The same seeds, trained fast and plainly, scored alike.

Fast is what `conf` sets: bfloat16 convolutions where the hardware has them, channels last, fused optimizers. Plain is
float32, NCHW, optimizers one tensor at a time. Both see the same images in the same order, from the same initial weights.

Run as `python -m benchmarks.quality` after `make run`; it writes `benchmarks/results/quality.json` and prints the rows.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import torch
from kedro.config import OmegaConfigLoader

from fashion_dgm.catalog.image_set import ImageSetDataset
from fashion_dgm.checkpoint import Checkpoint, build_model
from fashion_dgm.config import FlowTrainingConfig, GANConfig, SpeedConfig, WGANConfig
from fashion_dgm.flows.training import train_flow
from fashion_dgm.gans.networks import Generator
from fashion_dgm.gans.training import train_gan, train_wgan
from fashion_dgm.metrics.features import classifier_space
from fashion_dgm.metrics.frechet import Gaussian, frechet_distance
from fashion_dgm.metrics.reference import reference_classifier
from fashion_dgm.settings import CONFIG_LOADER_ARGS
from fashion_dgm.training.device import resolve_device, resolve_precision
from fashion_dgm.training.store import StateStore

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "quality.json"
SAMPLES = 5000
PLAIN = {"precision": "float32", "speed": SpeedConfig(channels_last=False, fused_optimizer=False, compile="none")}
DISTANCE = f"Fréchet classifier distance to test, N = {SAMPLES}"
MEASURES = {"train_flow": "bits/dim on test", "train_gan": DISTANCE, "train_wgan": DISTANCE}


def ignore(row: dict[str, float], seconds: float | None) -> None:
    """Nothing is tracked."""


class Scorer:
    """Trains one model one way from one seed, and scores it."""

    def __init__(self, epochs: int, images: int) -> None:
        self.parameters = OmegaConfigLoader(str(ROOT / "conf"), env="quick", **CONFIG_LOADER_ARGS)["parameters"]
        self.budget = {"epochs": epochs, "images_per_epoch": images}
        inputs = ROOT / "data" / "05_model_input"
        self.train = ImageSetDataset(filepath=str(inputs / "train.npz")).load()
        self.test = ImageSetDataset(filepath=str(inputs / "test.npz")).load()
        self.device = resolve_device("auto")
        self.space = classifier_space(reference_classifier(), self.device)
        some = torch.from_numpy(self.test.images[:SAMPLES])
        self.real = Gaussian.fit(self.space(some, self.device, batch_size=500))

    def __call__(self, name: str, changes: dict[str, Any]) -> float:
        block = {**self.parameters[name], **self.budget}
        with tempfile.TemporaryDirectory() as folder:
            store = StateStore(Path(folder))
            if name == "train_flow":
                flow_config = FlowTrainingConfig(**block).model_copy(update=changes)
                return train_flow(self.train, self.test, flow_config, store, ignore).test_bits_per_dim
            if name == "train_gan":
                gan_config = GANConfig(**block).model_copy(update=changes)
                return self.distance(train_gan(self.train, gan_config, store, ignore).generator)
            wgan_config = WGANConfig(**block).model_copy(update=changes)
            return self.distance(train_wgan(self.train, wgan_config, store, ignore).generator)

    def distance(self, checkpoint: Checkpoint) -> float:
        generator = build_model(checkpoint, "Generator")
        assert isinstance(generator, Generator)
        fake = generator.to(self.device).sample(SAMPLES, torch.Generator().manual_seed(0))
        return frechet_distance(self.real, Gaussian.fit(self.space(fake, self.device, batch_size=500)))


def main() -> None:
    """Trains each model both ways from each seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--images", type=int, default=12_000, help="images an epoch")
    options = parser.parse_args()
    score = Scorer(options.epochs, options.images)
    rows = []
    for name, measure in MEASURES.items():
        for way, changes in (("fast", {}), ("plain", PLAIN)):
            values = [score(name, {**changes, "seed": seed}) for seed in range(options.seeds)]
            rows.append({"model": name.removeprefix("train_"), "measure": measure, "way": way, "values": values})
            print(
                f"{name:12} {way:6} {statistics.mean(values):8.3f} ± {statistics.stdev(values):.3f}", values, flush=True
            )
    result = {
        "torch": torch.__version__,
        "fast_precision": str(resolve_precision("auto", score.device)).removeprefix("torch."),
        "epochs": options.epochs,
        "images_per_epoch": options.images,
        "seeds": list(range(options.seeds)),
        "rows": rows,
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
