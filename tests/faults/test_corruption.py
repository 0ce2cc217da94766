"""Damages every file that a run leaves."""

import logging
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from kedro.framework.project import pipelines
from kedro.io import DatasetError

from fashion_dgm.catalog.folders import FolderDataset
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.evaluation import feature_cache
from fashion_dgm.training.store import RunStore
from tests.catalog.test_files import plain
from tests.damage import DAMAGES
from tests.e2e.command import kedro
from tests.faults.conftest import catalog_of
from tests.faults.report import Counts

TRIES = int(os.environ.get("FAULTS_TRIES", "2"))
COMMANDS = int(os.environ.get("FAULTS_COMMANDS", "8"))


@dataclass(frozen=True)
class Target:
    """A file, and how what reads it does so."""

    path: Path
    kind: str
    load: Callable[[], Any]


def targets(project: Path) -> Iterator[Target]:
    """Yields all files in the project's data but for raw ones, which here have no checksums, and MLflow's."""
    catalog, data = catalog_of(project), project / "data"
    for path in sorted((data / "06_models").glob("*_state/*/state.pt")):
        yield Target(path, "training states", RunStore(path.parent).load)
    for path in sorted((data / "04_feature" / "feature_cache").glob("*.npz")):
        # All that decides the features is in the name of the file.
        shape = feature_cache.np.load(path)["features"].shape
        yield Target(path, "feature cache", lambda path=path, shape=shape: feature_cache._read(path, shape))
    names = {name for pipeline in pipelines.values() for name in pipeline.datasets() if not name.startswith("param")}
    for name in sorted(names):
        dataset = catalog.get(name)
        path = Path(getattr(dataset, "_filepath", ""))
        if isinstance(dataset, FolderDataset) and path.is_dir():
            for file in sorted(path.glob(dataset.PATTERN)):
                yield Target(file, kind_of(file), dataset._file(str(file)).load)
        elif path.is_file() and path.is_relative_to(data):
            yield Target(path, kind_of(path), dataset.load)
            if (hashed := path.parent / ".sha256" / path.name).is_file():
                yield Target(hashed, "hashes", dataset.load)


def kind_of(path: Path) -> str:
    kinds = {".safetensors": "checkpoints, snapshots", ".npz": "image sets", ".csv": "tables", ".json": "metrics, fits"}
    return kinds.get(path.suffix, "figures, report")


def outcome(target: Target, expected: Any, caplog: pytest.LogCaptureFixture) -> str:
    caplog.clear()
    try:
        found = target.load()
    except FashionDGMError:
        return "refused"
    except DatasetError as error:
        return "refused" if isinstance(error.__cause__, FashionDGMError) else "traceback"
    except Exception:
        logging.getLogger(__name__).exception("%s", target.path)
        return "traceback"
    if "is damaged" in caplog.text:
        return "recovered"
    return "harmless" if comparable(found) == expected else "silent"


def comparable(data: Any) -> Any:
    """What a load gave, as something that `==` compares whole."""
    if isinstance(data, dict):
        return {key: comparable(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [comparable(value) for value in data]
    if isinstance(data, torch.Tensor):
        return data.dtype, tuple(data.shape), data.numpy().tobytes()
    return data.tobytes() if hasattr(data, "tobytes") else plain(data)


def test_no_damage_is_silent(
    copy: Path, counts: Counts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(copy)
    rng = random.Random(0)
    for target in targets(copy):
        expected, whole = comparable(target.load()), target.path.read_bytes()
        for name, damage in [*DAMAGES.items()] * TRIES:
            damaged = damage(whole, rng)
            if damaged == whole:
                continue
            target.path.write_bytes(damaged)
            found = outcome(target, expected, caplog)
            counts.add(f"damaged: {target.kind}", found, f"{target.path.relative_to(copy)} {name}")
            target.path.write_bytes(whole)
    assert counts.tried > 300
    assert counts.bad == []


READERS = {
    "train.npz": "--pipelines train_gan",
    "flow.safetensors": "--nodes train_flow.plot_flow_samples",
    "ood_scores.csv": "--nodes ood_eval.measure_detection",
    "ood_fit.json": "--nodes ood_eval.measure_detection",
    "gan_history.csv": "--nodes report.plot_gan_training",
    "fid_metrics.json": "--nodes report.collect_metrics",
    "gan_curves.png": "--nodes report.write_report",
}
"""Which command reads a file."""


def results(project: Path) -> dict[Path, bytes]:
    folders = ("05_model_input", "06_models", "07_model_output", "08_reporting")
    paths = (path for folder in folders for path in (project / "data" / folder).rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in paths if path.name[:5] != ".lock"}


def test_commands_refuse_or_recover(copy: Path, counts: Counts) -> None:
    """The real command after some of these damages, drawn by seed; one that succeeds must give the same results."""
    before, rng = results(copy), random.Random(1)
    readers = {path: READERS[path.name] for path in before if path.name in READERS and path.parent.name[0] != "."}
    for path in before:
        if path.name == "state.pt":
            readers[path] = f"--pipelines train_{path.parts[-3].removesuffix('_state')}"
    for path in rng.sample(sorted(readers), min(COMMANDS, len(readers))):
        name = rng.choice(list(DAMAGES))
        path.write_bytes(DAMAGES[name](before[path], rng))
        code, messages = kedro(copy, *readers[path].split())
        after = results(copy)
        same = all(after.get(other) == content for other, content in before.items() if other != path)
        if "Traceback" in messages:
            found = "traceback"
        elif code:
            found = "refused"
        else:
            found = "silent" if not same else "recovered" if "is damaged" in messages else "harmless"
        detail = f"{path.relative_to(copy)} {name}\n{messages[-500:]}"
        counts.add("damaged: some of these, read by `kedro run`", found, detail)
        for other, content in before.items():
            if after.get(other) != content or other == path:
                other.write_bytes(content)
    assert counts.bad == []
