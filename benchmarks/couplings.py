"""What the parts of the two flows of couplings are worth: each changed in turn, all trained for the same time.

Time, not steps, is what a user has; on a CPU it is the process's own time, so that others' work does not count. The score
is bits/dim on images of `test`.

Run as `python -m benchmarks.couplings` after `make run`; it writes `benchmarks/results/couplings.json` and prints the rows.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.hardware import ROOT
from benchmarks.inputs import block
from fashion_dgm.catalog.image_set import ImageSetDataset
from fashion_dgm.config import CouplingFlowTrainingConfig
from fashion_dgm.flows.likelihood import mean_bits_per_dim
from fashion_dgm.flows.training import FlowStep
from fashion_dgm.training.device import resolve_device, resolve_precision
from fashion_dgm.training.seeds import derive_seed, generator

RESULTS = ROOT / "benchmarks" / "results" / "couplings.json"
INPUTS = ROOT / "data" / "05_model_input"
MIXTURE, AFFINE = "train_mixture_flow", "train_flow"
VARIANTS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "mixture flow": (MIXTURE, {}, {}),
    "mixture flow, no averaged weights": (MIXTURE, {}, {"ema_decay": None}),
    "mixture flow, no place as an input": (MIXTURE, {"position": False}, {}),
    "mixture flow, twice as many logistics": (MIXTURE, {"components": 8}, {}),
    "RealNVP": (AFFINE, {}, {}),
    "RealNVP, no averaged weights": (AFFINE, {}, {"ema_decay": None}),
    "RealNVP, the place as an input": (AFFINE, {"position": True}, {}),
}


def trained(config: CouplingFlowTrainingConfig, images: torch.Tensor, seconds: float) -> tuple[FlowStep, int]:
    """Trains until the time is up; returns the step and how many images it has seen."""
    device = resolve_device(config.device)
    torch.manual_seed(derive_seed(config.seed, "weights"))
    step = FlowStep(config, device, resolve_precision(config.precision, device))
    torch.manual_seed(derive_seed(config.seed, "noise"))
    clock: Callable[[], float] = time.process_time if device.type == "cpu" else time.perf_counter
    began, seen, epoch = clock(), 0, 0
    while True:
        epoch += 1
        order = torch.randperm(len(images), generator=generator(config.seed, "order", epoch)).to(device)
        for index in order.split(config.batch_size)[:-1]:
            step.step(images[index])
            seen += config.batch_size
            if clock() - began > seconds:
                return step, seen


def main() -> None:
    """Trains and scores each variant from each seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=120, help="of training, for each variant and seed")
    parser.add_argument("--images", type=int, default=2000, help="of test, to score with")
    options = parser.parse_args()
    train = torch.from_numpy(ImageSetDataset(filepath=str(INPUTS / "train.npz")).load().images)
    test = torch.from_numpy(ImageSetDataset(filepath=str(INPUTS / "test.npz")).load().images[: options.images])
    train = train.to(resolve_device(block(AFFINE, "quick").device))
    rows = []
    for name, (flow, model, training) in VARIANTS.items():
        base = block(flow, "quick")
        scores, images = [], []
        for seed in range(options.seeds):
            changed = {**training, "model": base.model.model_copy(update=model), "seed": seed}
            step, seen = trained(base.model_copy(update=changed), train, options.seconds)
            scores.append(mean_bits_per_dim(step.evaluated, test, 500, derive_seed(seed, "dequantize"), torch.float32))
            images.append(seen)
        rows.append({"variant": name, "bits_per_dim": scores, "images": images})
        print(f"{name:40} {statistics.mean(scores):.3f}", scores, images, flush=True)
    result = {"torch": torch.__version__, "seconds": options.seconds, "test_images": options.images, "rows": rows}
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
