"""Trainings of every family, small enough to be killed many times over; run in processes of their own."""

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
from fashion_dgm.config import ClassifierConfig, FlowTrainingConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.training import train_flow
from fashion_dgm.gans.evaluation import EvaluationData
from fashion_dgm.gans.training import train_gan
from fashion_dgm.training.interruption import Interrupted
from fashion_dgm.training.store import StateStore
from tests.conftest import made_up_images
from tests.small import STEPS
from tests.training.helpers import ignore

EPOCHS = 5
FAMILIES = ("realnvp", "gan", "wgan", "wgan_gp", "classifier")

FINISHED, STOPPED, FAILED = 0, 75, 1


def run(family: str, folder: Path, **changes: Any) -> dict[str, Any]:
    """Trains and returns all that should not depend on interruptions; `changes` are of the parameters."""
    values = {**STEPS[family].model_dump(), "epochs": EPOCHS, **changes}
    if "records" in values:
        values["records"] = {"samples": 20, "neighbours": 5}
    config = type(STEPS[family])(**values)
    train, test = made_up_images(160, seed=0), made_up_images(50, seed=1)
    store = StateStore(folder)

    if isinstance(config, FlowTrainingConfig):
        flow = train_flow(train, test, config, store, ignore)
        # `assert_close` compares no texts.
        metrics = {name: value for name, value in flow.metrics.items() if not isinstance(value, str)}
        return {"weights": dict(flow.flow.weights), "history": flow.history, "metrics": metrics}
    if isinstance(config, ClassifierConfig):
        classifier, history = train_classifier(train, test, test, config, store, ignore)
        accuracy = classifier.training["benchmark_accuracy"]
        return {"weights": dict(classifier.weights), "history": history, "accuracy": accuracy}
    torch.manual_seed(0)
    classifier = checkpoint_of(Classifier(4, 8), "Classifier", {"width": 4, "feature_dim": 8})
    gan = train_gan(train, config, store, ignore, EvaluationData(test, classifier))
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
