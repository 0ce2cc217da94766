"""Trained networks by name, path and run."""

import os
from pathlib import Path

import mlflow
import numpy as np
import pytest
import torch

import fashion_dgm
from fashion_dgm import load_model
from fashion_dgm.checkpoint import CheckpointError, checkpoint_of, save_checkpoint
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import Flow, MixtureFlow, RealNVP
from fashion_dgm.gans.networks import Generator
from fashion_dgm.pipelines import blocks
from tests.small import COUPLINGS, mixture_config, realnvp_config


@pytest.fixture
def generator() -> Generator:
    torch.manual_seed(0)
    return Generator(latent_dim=5, width=2).eval()


@pytest.fixture
def file(project: Path, generator: Generator) -> Path:
    path = project / "data" / "06_models" / "gan_generator.safetensors"
    config = {"latent_dim": 5, "width": 2}
    save_checkpoint(checkpoint_of(generator, "Generator", config), path)
    return path


def assert_same(one: torch.nn.Module, other: torch.nn.Module) -> None:
    assert not one.training
    torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("name", "flow"),
    [
        ("flow", RealNVP(realnvp_config())),
        ("mixture_flow", MixtureFlow(mixture_config(position=True))),
    ],
)
def test_flows_are_of_their_own_class(project: Path, name: str, flow: Flow) -> None:
    path = project / "data" / "06_models" / f"{name}.safetensors"
    save_checkpoint(checkpoint_of(flow, type(flow).__name__, flow.config.model_dump(mode="json")), path)
    loaded = load_model(name, project)
    assert type(loaded) is type(flow) and loaded.config == flow.config
    assert_same(loaded, flow)
    # Without torch.no_grad().
    pixels = torch.randint(256, (2, 1, 28, 28), dtype=torch.uint8)
    assert np.isfinite(loaded.bits_per_dim(pixels).numpy()).all()


def test_a_realnvp_of_before_its_couplings_were_affine_is_refused(tmp_path: Path) -> None:
    config = {**COUPLINGS, "coupling": "mixture", "components": 2}
    old = checkpoint_of(RealNVP(realnvp_config()), "RealNVP", config)
    save_checkpoint(old, tmp_path / "flow.safetensors")
    with pytest.raises(CheckpointError, match="train it again"):
        load_model(tmp_path / "flow.safetensors")


def test_by_path_and_by_name_in_the_catalog(
    project: Path, file: Path, generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_same(load_model(file), generator)
    assert_same(load_model(str(file)), generator)
    monkeypatch.chdir(project / "conf")
    assert_same(load_model("gan_generator"), generator)
    monkeypatch.chdir("/")
    assert_same(load_model("gan_generator", project=project), generator)


def test_the_catalog_is_that_of_the_environment(
    project: Path, file: Path, generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.rename(project / "elsewhere.safetensors")
    entry = "gan_generator: {type: fashion_dgm.catalog.files.CheckpointDataset, filepath: elsewhere.safetensors}\n"
    (project / "conf" / "local" / "catalog.yml").write_text(entry)
    assert_same(load_model("gan_generator", project), generator)
    monkeypatch.setenv("KEDRO_ENV", "base")
    with pytest.raises(FashionDGMError, match="has not been trained yet"):
        load_model("gan_generator", project)
    (project / "conf" / "local" / "catalog.yml").write_text(entry.replace("}", ", credentials: s3}"))
    monkeypatch.delenv("KEDRO_ENV")
    with pytest.raises(FashionDGMError, match="credentials 's3'"):
        load_model("gan_generator", project)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nonsense", "nor a dataset of that name; models: .*gan_generator"),
        ("flow", "has not been trained yet: `kedro run --pipelines train_flow` trains it"),
        # Not part of a plain `kedro run`.
        ("wgan_gp_generator", "has not been trained yet: `kedro run --pipelines train_wgan_gp` trains it"),
        ("absent.safetensors", "is not a file"),
    ],
)
def test_what_is_not_there_is_reported(project: Path, source: str, message: str) -> None:
    with pytest.raises(FashionDGMError, match=message):
        load_model(source, project=project)


def test_a_damaged_file_of_the_catalog_is_reported_like_one_given_by_its_path(project: Path, file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])
    for source in ("gan_generator", file):
        with pytest.raises(FashionDGMError, match=f"{file} .*Delete it|{file} .*delete it"):
            load_model(source, project=project)


def test_models_are_those_of_the_named_project(
    project: Path, generator: Generator, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    added = (project / "conf" / "base" / "parameters_train_gan.yml").read_text(encoding="utf-8")
    (project / "conf" / "base" / "parameters_train_mine.yml").write_text(added.replace("train_gan:", "train_mine:"))
    path = project / "data" / "06_models" / "mine_generator.safetensors"
    save_checkpoint(checkpoint_of(generator, "Generator", {"latent_dim": 5, "width": 2}), path)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    monkeypatch.setattr(blocks, "SOURCES", [*blocks.SOURCES])
    assert_same(load_model("mine_generator", project), generator)
    blocks._blocks.cache_clear()


def test_a_name_needs_a_project(tmp_path: Path) -> None:
    with pytest.raises(FashionDGMError, match="this folder is not in a project"):
        load_model("flow", project=tmp_path)


@pytest.mark.slow
def test_runs_are_looked_up_where_tracking_yml_has_them_recorded(
    project: Path, file: Path, generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "conf" / "local" / "tracking.yml").write_text("folder: records\n")
    (project / "records").mkdir()
    client = mlflow.MlflowClient(f"sqlite:///{project}/records/mlflow.db")
    run = client.create_run(client.create_experiment("any", f"{project}/records")).info.run_id
    client.log_artifact(run, str(file))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert_same(load_model(f"runs:/{run}", project), generator)
    # MLflow sets it itself; the next call may be for another project.
    assert "MLFLOW_TRACKING_URI" not in os.environ


def test_unknown_attributes_of_the_package_are_still_errors() -> None:
    with pytest.raises(AttributeError, match="load_modle"):
        _ = fashion_dgm.load_modle
