"""Long trainings without Kedro, whose files are those of the catalog, so that a `kedro run` elsewhere takes them over.

All models of one seed share the folder `OUT/seed=S`, laid out as `data` is: `kedro run --params outputs=OUT/seed=S` finds
states, checkpoints, snapshots, histories and metrics there as if it had trained the models itself.
"""

import contextlib
import csv
import io
import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.hardware import commit, describe
from benchmarks.inputs import block, splits
from benchmarks.logs import epochs_logged_to
from fashion_dgm.checkpoint import Checkpoint, save_checkpoint
from fashion_dgm.classifier.reference import reference_checkpoint
from fashion_dgm.config import AdversarialConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.files import atomic_folder, write_bytes
from fashion_dgm.flows.training import train_flow
from fashion_dgm.gans.evaluation import EvaluationData
from fashion_dgm.gans.training import final_metrics, train_gan
from fashion_dgm.provenance import ORIGIN
from fashion_dgm.training.epoch import EpochRow
from fashion_dgm.training.interruption import Interrupted
from fashion_dgm.training.loop import OnEpoch
from fashion_dgm.training.store import StateStore

__all__ = ["Training", "run_in_process"]

Trained = tuple[dict[str, Checkpoint], dict[int, Checkpoint], dict[str, Any]]

# In seconds, how often a training whose time is up is asked to stop, until it does.
ASK_EVERY = 0.2


@dataclass(frozen=True)
class Training:
    """One model under one seed.

    Arguments:
        model: its name; `train_<model>` is its block of parameters.
        seed: of the training.
        env: the environment of the parameters.
        device: where to train.
        compile: as `speed.compile`.
        epochs: instead of those of the parameters; None for those.
        data: the folder of `train.npz` and `test.npz`.
        out: the folder of results.
    """

    model: str
    seed: int
    env: str
    device: str
    compile: str
    epochs: int | None
    data: Path
    out: Path

    @property
    def folder(self) -> Path:
        """The folder of all models of this seed."""
        return self.out / f"seed={self.seed}"

    def config(self) -> Any:
        """Returns the parameters."""
        base = block(f"train_{self.model}", self.env)
        speed = {**base.speed.model_dump(), "compile": self.compile}
        changes = {"seed": self.seed, "device": self.device, "speed": speed, "epochs": self.epochs or base.epochs}
        return type(base)(**{**base.model_dump(), **changes})

    def run(self, deadline: float) -> str:
        """Trains to the end, or until the time `deadline` in seconds since the epoch; returns how far it has come."""
        config, began = self.config(), time.time()
        if self._is_finished(config):
            return f"{self}: finished before"
        images = splits(self.data)
        history: list[EpochRow] = []

        def on_epoch(row: EpochRow, seconds: float | None) -> None:
            history.append(row)

        try:
            with epochs_logged_to(self.folder / f"{self.model}.log"), _until(deadline):
                networks, snapshots, metrics = self._train(config, images["train"], images["test"], on_epoch)
        except Interrupted:
            end = "stopped"
        except FashionDGMError as error:
            return f"{self}: failed, {error}"
        else:
            end = "finished"
            self._save_models(networks, snapshots)
            parameters = {f"train_{self.model}": config.model_dump(mode="json")}
            origin = {"parameters": parameters, "train_sha256": images["train"].sha256, "mismatches": []}
            self._save_json("metrics", {**metrics, ORIGIN: origin})
        write_bytes(self._result("history.csv"), _csv(history))
        self._save_record(len(history), time.time() - began)
        return f"{self}: {end} after {len(history)} of {config.epochs} epochs, {time.time() - began:.0f} s"

    def __str__(self) -> str:
        return f"{self.model}, seed {self.seed}"

    def _train(self, config: Any, train: ImageSet, test: ImageSet, on_epoch: OnEpoch) -> Trained:
        """Returns the networks by their names in the catalog, those of earlier epochs, and metrics."""
        store = StateStore(self.folder / "06_models" / f"{self.model}_state")
        if not isinstance(config, AdversarialConfig):
            flow = train_flow(train, test, config, store, on_epoch)
            return {self.model: flow.flow}, flow.earlier, dict(flow.metrics)
        gan = train_gan(train, config, store, on_epoch, EvaluationData(test, reference_checkpoint()))
        networks = {f"{self.model}_generator": gan.evaluated, f"{self.model}_discriminator": gan.discriminator}
        return networks, gan.snapshots, final_metrics(gan, config)

    def _result(self, name: str) -> Path:
        return self.folder / "07_model_output" / f"{self.model}_{name}"

    def _is_finished(self, config: Any) -> bool:
        path = self._result("metrics.json")
        if not path.exists():
            return False
        made_with = json.loads(path.read_text(encoding="utf-8"))[ORIGIN]["parameters"]
        return made_with == {f"train_{self.model}": config.model_dump(mode="json")}

    def _save_models(self, networks: dict[str, Checkpoint], snapshots: dict[int, Checkpoint]) -> None:
        models = self.folder / "06_models"
        for name, checkpoint in networks.items():
            save_checkpoint(checkpoint, models / f"{name}.safetensors")
        with atomic_folder(models / f"{self.model}_snapshots") as folder:
            for epoch, checkpoint in snapshots.items():
                save_checkpoint(checkpoint, folder / f"epoch_{epoch:04d}.safetensors")

    def _save_json(self, name: str, value: Any) -> None:
        write_bytes(self._result(f"{name}.json"), json.dumps(value, indent=2, sort_keys=True, allow_nan=False).encode())

    def _save_record(self, epochs: int, seconds: float) -> None:
        """Saves how long it has taken in all sessions, and on what."""
        path = self._result("training.json")
        before = json.loads(path.read_text(encoding="utf-8"))["seconds"] if path.exists() else 0
        record = {"epochs": epochs, "seconds": before + seconds, "commit": commit(), "hardware": describe(self.device)}
        self._save_json("training", record)


@contextlib.contextmanager
def _until(deadline: float) -> Iterator[None]:
    """Sends this process SIGTERM from `deadline` on: the epoch loop saves its state and stops, anything else goes on."""
    done = threading.Event()

    def ask() -> None:
        pause = max(0.0, deadline - time.time())
        while not done.wait(pause):
            os.kill(os.getpid(), signal.SIGTERM)
            pause = ASK_EVERY

    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        signal.signal(signal.SIGTERM, before)


def _csv(rows: Sequence[EpochRow]) -> bytes:
    """As pandas writes it, which need not be installed."""
    text = io.StringIO()
    names = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(text, list(names), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def run_in_process(training: Training, deadline: float) -> str:
    """Runs a training that shares the machine with others; what a pool of processes calls."""
    torch.set_num_threads(1)
    return training.run(deadline)
