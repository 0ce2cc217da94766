"""Trainings of every family, small enough to be killed many times over; run in processes of their own."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from fashion_dgm.checkpoint import checkpoint_of
from fashion_dgm.classifier.network import Classifier
from fashion_dgm.classifier.training import train_classifier
from fashion_dgm.config import ClassifierConfig, FlowTrainingConfig, GANConfig, WGANConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.training import train_flow
from fashion_dgm.gans.evaluation import EvaluationData
from fashion_dgm.gans.training import train_gan
from fashion_dgm.training.interruption import Interrupted
from fashion_dgm.training.store import StateStore
from tests.conftest import made_up_images

COMMON = {"epochs": 5, "batch_size": 16, "seed": 0, "device": "cpu", "precision": "float32"}
ADAM = {"name": "adam", "learning_rate": 1e-3}
ADVERSARIAL = {
    **COMMON,
    "latent_dim": 8,
    "width": 4,
    "snapshot_every": 2,
    "records": {"samples": 20, "neighbours": 5},
}
SMALL_FLOW = {
    "scales": 2,
    "checkerboard_couplings": 1,
    "channel_couplings": 1,
    "hidden_channels": 4,
    "residual_blocks": 1,
    "logit_alpha": 1e-6,
}
CLIP, PENALTY = {"name": "clip", "bound": 0.01}, {"name": "gradient_penalty", "weight": 10}
# Turns of unequal length, a moving average and no BatchNorm: all the state that a variant can have.
WGAN_GP = {
    "lipschitz": PENALTY,
    "normalisation": {"generator": "batch", "discriminator": "layer"},
    "warmup": {"critic_steps": 4, "generator_steps": 2, "every": 5},
    "ema_decay": 0.9,
}
CLASSIFIER = {
    "width": 4,
    "feature_dim": 8,
    "optimizer": {"name": "adamw", "learning_rate": 1e-3, "weight_decay": 0.1},
    "schedule": {"warmup_steps": 10, "final_step": 50},
    "flip": True,
    "max_shift": 2,
    "label_smoothing": 0.1,
}
FAMILIES = ("realnvp", "gan", "wgan", "wgan_gp", "classifier")

FINISHED, STOPPED, FAILED = 0, 75, 1


def run(family: str, folder: Path, **changes: Any) -> dict[str, Any]:
    """Trains and returns all that should not depend on interruptions; `changes` are of the parameters of every family."""
    common = {**COMMON, **changes}
    train, test = made_up_images(160, seed=0), made_up_images(50, seed=1)
    store = StateStore(folder)

    def ignore(row: dict[str, float], seconds: float | None) -> None: ...

    if family == "realnvp":
        config = {**common, "model": SMALL_FLOW, "optimizer": ADAM, "max_gradient_norm": 50, "evaluation_images": 20}
        flow = train_flow(train, test, FlowTrainingConfig(**config), store, ignore)
        return {
            "weights": dict(flow.flow.weights),
            "history": flow.history,
            "metrics": dict(flow.metrics),
        }
    if family == "classifier":
        classifier_config = ClassifierConfig(**common, **CLASSIFIER)
        classifier, history = train_classifier(train, test, test, classifier_config, store, ignore)
        return {
            "weights": dict(classifier.weights),
            "history": history,
            "metrics": [classifier.training["benchmark_accuracy"]],
        }
    torch.manual_seed(0)
    classifier = checkpoint_of(Classifier(4, 8), "Classifier", {"width": 4, "feature_dim": 8})
    evaluation_data = EvaluationData(test, classifier)
    adversarial = {**ADVERSARIAL, **changes}
    if family == "gan":
        gan = train_gan(train, GANConfig(**adversarial, optimizer=ADAM), store, ignore, evaluation_data)
    else:
        rmsprop = {"name": "rmsprop", "learning_rate": 1e-3}
        variant = {"optimizer": ADAM, **WGAN_GP} if family == "wgan_gp" else {"optimizer": rmsprop, "lipschitz": CLIP}
        gan = train_gan(train, WGANConfig(**adversarial, n_critic=3, **variant), store, ignore, evaluation_data)
    return {
        "weights": {**gan.generator.weights, **{f"d.{k}": v for k, v in gan.discriminator.weights.items()}},
        "history": gan.history,
        "average": dict(gan.average.weights) if gan.average else {},
        "snapshots": {epoch: dict(checkpoint.weights) for epoch, checkpoint in gan.snapshots.items()},
    }


def count_calls(moment: tuple[int, int] | None) -> Callable[[], int]:
    """Counts the calls of the package's functions from here on; at one of them the process gets a signal.

    Those that fingerprint the code are left out: there are a hundred times more of them than of all others.
    """
    calls = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal calls
        file = frame.f_code.co_filename
        if event == "call" and "fashion_dgm" in file and not file.endswith("code_version.py"):
            calls += 1
            if moment and calls == moment[0]:
                os.kill(os.getpid(), moment[1])

    sys.setprofile(count)
    return lambda: calls


def work(family: str, folder: Path, moment: tuple[int, int] | None = None, file_limit: int | None = None) -> None:
    """Entry of a process: trains, then leaves the result and the number of calls in `folder`."""
    torch.set_num_threads(1)
    if file_limit is not None:
        # Writing past the limit fails as on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
    calls = count_calls(moment)
    try:
        result = run(family, folder / "state")
    except Interrupted:
        sys.exit(STOPPED)
    except FashionDGMError as error:
        (folder / "error.txt").write_text(str(error))
        sys.exit(FAILED)
    sys.setprofile(None)
    torch.save((result, calls()), folder / "result.pt")
