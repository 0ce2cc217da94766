"""The command for a GPU, rehearsed on the CPU at the size of `conf/test`."""

import json
import logging
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from benchmarks.__main__ import BENCHMARKS
from benchmarks.gpu import MODELS, main
from benchmarks.hardware import ROOT
from benchmarks.inputs import block, splits
from benchmarks.trainings import Training
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog

from fashion_dgm.classifier.reference import reference_checkpoint
from fashion_dgm.pipelines.train_gan.nodes import train_gan
from fashion_dgm.settings import CONFIG_LOADER_ARGS
from tests.conftest import made_up_images

# What a machine that was set up for PyTorch alone does not have.
ABSENT = (
    *("kedro", "kedro_datasets", "mlflow", "omegaconf", "pooch", "imagecodecs"),
    *("jinja2", "sklearn", "pandas", "matplotlib"),
)
WITHOUT = (
    f"import sys; sys.modules.update(dict.fromkeys({ABSENT})); from benchmarks.gpu import main; main(sys.argv[1:])"
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("splits")
    for seed, (name, count) in enumerate({"train": 200, "test": 80, "benchmark": 80}.items()):
        images = made_up_images(count, seed=seed)
        np.savez(folder / f"{name}.npz", images=images.images, labels=images.labels, name=images.name)
    return folder


def options(data: Path, out: Path, *more: str) -> list[str]:
    return ["--env", "test", "--device", "cpu", "--data", str(data), "--out", str(out), "--seeds", "0", *more]


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a rehearsal without any package that it should do without, and what it said."""
    out = tmp_path_factory.mktemp("out")
    command = [sys.executable, "-c", WITHOUT, *options(data, out, "--parts", "trainings,distances")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out, done.stdout


@pytest.fixture(scope="module")
def catalog(trained: tuple[Path, str]) -> DataCatalog:
    outputs = {"outputs": str(trained[0] / "seed=0")}
    loader = OmegaConfigLoader(str(ROOT / "conf"), env="test", runtime_params=outputs, **CONFIG_LOADER_ARGS)
    return DataCatalog.from_config(loader["catalog"])


def test_every_model_is_trained_without_kedro(trained: tuple[Path, str]) -> None:
    out, said = trained
    for model in MODELS[:4]:
        assert f"{model}, seed 0: finished after 2 of 2 epochs" in said
        record = json.loads((out / "seed=0" / "07_model_output" / f"{model}_training.json").read_text())
        assert record["epochs"] == 2 and record["seconds"] > 0 and record["hardware"]["torch"]
    assert "pandas is not installed" in said


@pytest.mark.parametrize("flow", ["flow", "mixture_flow"])
def test_kedro_finds_the_flows(catalog: DataCatalog, flow: str) -> None:
    assert catalog.load(flow).training["epoch"] == 2
    assert list(catalog.load(f"{flow}_snapshots")) == [1]
    assert catalog.load(f"{flow}_metrics")["test_bits_per_dim"] < 10


def test_a_node_takes_the_state_over(data: Path, catalog: DataCatalog, caplog: pytest.LogCaptureFixture) -> None:
    images, config = splits(data), block("train_gan", "test", device="cpu")
    with caplog.at_level(logging.INFO, logger="fashion_dgm"):
        generator, discriminator, snapshots, history, metrics = train_gan(
            images["train"], images["test"], reference_checkpoint(), catalog.load("gan_state"), config
        )
    assert "reusing the finished run of 2 epochs" in caplog.text
    found = {part: catalog.load(f"gan_{part}") for part in ("generator", "discriminator", "snapshots", "metrics")}
    assert (generator.sha256, discriminator.sha256) == (found["generator"].sha256, found["discriminator"].sha256)
    assert {epoch: load().sha256 for epoch, load in found["snapshots"].items()} == {
        epoch: checkpoint.sha256 for epoch, checkpoint in snapshots.items()
    }
    assert history.equals(catalog.load("gan_history"))
    assert found["metrics"].pop("origin")["train_sha256"] == images["train"].sha256
    assert metrics == found["metrics"]


@pytest.mark.slow
def test_the_same_command_goes_on(data: Path, trained: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    out = trained[0]
    main(options(data, out, "--parts", "trainings,distances", "--models", "gan,wgan", "--parallel", "2"))
    said = capsys.readouterr().out
    assert said.count("finished before") == 2
    assert (out / "seed=0" / "07_model_output" / "fid_by_epoch.csv").exists() and "benchmark" in said
    main(options(data, out, "--parts", "distances"))
    assert "seed=0: nothing new" in capsys.readouterr().out
    main(options(data, out, "--minutes", "0"))
    assert capsys.readouterr().out.count("no time is left") == 4


def test_training_stops_in_time_and_goes_on_from_there(data: Path, tmp_path: Path) -> None:
    training = Training("gan", 0, "test", "cpu", "none", 10_000, data, tmp_path)
    assert "stopped after" in training.run(time.time() + 1)
    first = history(training)
    assert 0 < len(first) < 10_000
    assert "stopped after" in training.run(time.time() + 1)
    second = history(training)
    assert second[: len(first)] == first and len(second) > len(first)
    assert not (training.folder / "06_models" / "gan_generator.safetensors").exists()
    assert "finished after 2 of 2" in replace(training, seed=1, epochs=2).run(time.time() + 60)


def history(training: Training) -> list[str]:
    return (training.folder / "07_model_output" / f"{training.model}_history.csv").read_text().splitlines()[1:]


def test_tests_and_tables_are_run_once(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[Any] = []

    def run(command: list[str], stdout: Any, **_: Any) -> subprocess.CompletedProcess:
        calls.append(command)
        stdout.write("1 passed")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("benchmarks.gpu.subprocess", SimpleNamespace(run=run, TimeoutExpired=subprocess.TimeoutExpired))
    monkeypatch.setattr("benchmarks.gpu.TABLES", ("flow",))
    monkeypatch.setitem(BENCHMARKS, "flow", ("RealNVP against normflows", "no_such_module:run"))
    for _ in range(2):
        main(options(data, tmp_path, "--parts", "tests,tables"))
    said = capsys.readouterr().out
    assert len(calls) == 1 and "1 passed" in said and "exit code 0" in said
    assert said.count("flow: already made") == 1
    (table,) = (tmp_path / "tables").glob("*.json")
    assert "no_such_module is not installed" in table.read_text()


def test_mistakes_are_explained(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(options(data, tmp_path, "--models", "gam"))
    assert "--models has no gam; there are gan" in capsys.readouterr().err
