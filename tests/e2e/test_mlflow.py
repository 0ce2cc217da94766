"""What the real command leaves in MLflow, and that another process can use it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pytest
import torch
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from fashion_dgm import load_model
from fashion_dgm.catalog.image_set import ImageSetDataset
from fashion_dgm.catalog.registry import logged_model
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.likelihood import bits_per_dim_of
from tests.e2e.command import client_of, metrics_of, run_of, runs_of

IN_A_FRESH_PROCESS = """
import sys
import mlflow, numpy as np
uri, data, out = sys.argv[1:]
mlflow.set_tracking_uri(uri)
latents = np.load(data)
models = {alias: mlflow.pyfunc.load_model(f"models:/wgan_generator@{alias}") for alias in ("last", "best")}
np.savez(out, **{alias: model.predict(latents) for alias, model in models.items()})
"""


@pytest.fixture(scope="module")
def client(finished: Path) -> mlflow.MlflowClient:
    client = client_of(finished)
    mlflow.set_tracking_uri(client.tracking_uri)
    return client


@pytest.fixture(scope="module")
def runs(finished: Path) -> list[Run]:
    return runs_of(finished)


def test_discrete_likelihoods_are_in_the_runs_that_trained_by_number_of_draws(
    runs: list[Run], client: mlflow.MlflowClient
) -> None:
    for name in ("train_flow", "train_mixture_flow"):
        history = client.get_metric_history(run_of(runs, name).info.run_id, "discrete_bits_per_dim")
        assert [metric.step for metric in sorted(history, key=lambda metric: metric.step)] == [1, 4, 16]


def test_one_parent_run_and_one_child_a_training_node(runs: list[Run]) -> None:
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    children = [run for run in runs if run not in parents]
    assert [run.info.run_name for run in parents] == ["test: all"]
    expected = {"train_flow", "train_mixture_flow", "train_gan", "train_wgan", "train_discriminators"}
    assert {run.info.run_name for run in children} == expected
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parents[0].info.run_id}
    assert all(run.info.status == "FINISHED" for run in runs)


def test_tables_and_charts_have_few_metrics_and_each_model_its_colour(runs: list[Run]) -> None:
    children = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    for run in children:
        assert 3 <= len(run.data.metrics) <= 25, sorted(run.data.metrics)
        assert run.data.tags["latest"] == "true"
    (parent,) = (run for run in runs if run not in children)
    assert 5 <= len(parent.data.metrics) <= 40, sorted(parent.data.metrics)
    assert parent.data.tags["finding.ood_paradox"]
    gan, wgan = (run_of(runs, name).data.tags["mlflow.runColor"] for name in ("train_gan", "train_wgan"))
    assert gan != wgan


def test_no_curve_of_a_child_has_a_value_before_its_first_epoch(client: mlflow.MlflowClient, runs: list[Run]) -> None:
    for run in runs:
        # A parent's are of several models, and the steps of `train_discriminators` are those of the discriminator.
        for name in () if "mlflow.parentRunId" not in run.data.tags else run.data.metrics:
            steps = {metric.step for metric in client.get_metric_history(run.info.run_id, name)}
            assert name.startswith("epoch ") or steps == {0} or 0 not in steps, (run.info.run_name, name)
    assert {"test_bits_per_dim", "final/test_bits_per_dim"} <= run_of(runs, "train_flow").data.metrics.keys()


def test_gan_and_wgan_are_comparable_in_mlflow(client: mlflow.MlflowClient, runs: list[Run]) -> None:
    gan, wgan = run_of(runs, "train_gan"), run_of(runs, "train_wgan")
    for name in ("loss_discriminator", "loss_generator", "gradient_norm_generator", "seconds_per_epoch"):
        for run in (gan, wgan):
            assert [point.step for point in client.get_metric_history(run.info.run_id, name)] == [1, 2]
    for name in ("epochs", "optimizer.learning_rate", "train_sha256", "seed"):
        assert name in gan.data.params and name in wgan.data.params
    assert gan.data.params["train_sha256"] == wgan.data.params["train_sha256"]
    artifacts = {item.path for item in client.list_artifacts(gan.info.run_id, "06_models")}
    assert "06_models/gan_generator.safetensors" in artifacts


def test_models_of_a_run_can_be_loaded(finished: Path, runs: list[Run]) -> None:
    run, flow = (run_of(runs, name).info.run_id for name in ("train_gan", "train_flow"))
    generator = f"runs:/{run}/06_models/gan_generator.safetensors"
    assert_equal(load_model(generator, finished), load_model("gan_generator", finished))
    assert_equal(load_model(f"runs:/{flow}", finished), load_model("flow", finished))
    with pytest.raises(FashionDGMError, match=r"checkpoints; name one of them: runs:/.*gan_discriminator"):
        load_model(f"runs:/{run}", finished)
    for absent in ("runs:/absent", "models:/gan_generator@absent"):
        with pytest.raises(FashionDGMError, match=f"cannot load {absent} from MLflow"):
            load_model(absent, finished)


def assert_equal(one: torch.nn.Module, other: torch.nn.Module) -> None:
    torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=0, atol=0)


def test_registered_generators_make_the_same_images_in_a_fresh_process(
    finished: Path, client: mlflow.MlflowClient, tmp_path: Path
) -> None:
    generators = {alias: load_model(f"models:/wgan_generator@{alias}", finished) for alias in ("last", "best")}
    assert_equal(generators["last"], load_model("wgan_generator", finished))
    z = torch.randn(300, generators["last"].latent_dim, generator=torch.Generator().manual_seed(0))
    np.save(tmp_path / "z.npy", z.numpy())
    arguments = [client.tracking_uri, str(tmp_path / "z.npy"), str(tmp_path / "images.npz")]
    done = subprocess.run([sys.executable, "-c", IN_A_FRESH_PROCESS, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for alias, images in np.load(tmp_path / "images.npz").items():
        with torch.no_grad():
            expected = torch.cat([generators[alias](part) for part in z.split(256)]).numpy()
        assert images.dtype == np.float32 and images.shape == (300, 1, 28, 28)
        np.testing.assert_array_equal(images, expected)


@pytest.mark.parametrize("name", ["flow", "mixture_flow"])
def test_a_registered_flow_gives_the_bits_per_dim_of_the_library(
    finished: Path, client: mlflow.MlflowClient, name: str
) -> None:
    images = ImageSetDataset(filepath=str(finished / "data" / "05_model_input" / "benchmark.npz")).load().images
    model = mlflow.pyfunc.load_model(f"models:/{name}@last")
    for seed in (0, 7):
        expected = bits_per_dim_of(load_model(name, finished), torch.from_numpy(images), 256, seed, torch.float32)
        np.testing.assert_array_equal(model.predict(images, params={"seed": seed}), expected)


@pytest.mark.parametrize(
    ("name", "data"),
    [("gan_generator", np.zeros((2, 3), np.float32)), ("flow", np.zeros((2, 1, 28, 28), np.float32))],
)
def test_a_signature_is_enforced(client: mlflow.MlflowClient, name: str, data: np.ndarray) -> None:
    with pytest.raises(MlflowException, match="schema"):
        mlflow.pyfunc.load_model(f"models:/{name}@last").predict(data)


def test_a_registered_model_holds_no_pickle(client: mlflow.MlflowClient, tmp_path: Path) -> None:
    folder = Path(mlflow.artifacts.download_artifacts("models:/gan_generator@last", dst_path=str(tmp_path)))
    suffixes = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert suffixes <= {".safetensors", ".yaml", ".txt", "", ".yml"}


def test_data_sets_are_logged_with_their_hash(finished: Path, runs: list[Run]) -> None:
    for name in ("train_flow", "train_mixture_flow", "train_gan", "train_wgan"):
        run = run_of(runs, name)
        logged = {}
        for item in run.inputs.dataset_inputs:
            tags = {tag.key: tag.value for tag in item.tags}
            logged[tags["mlflow.data.context"]] = (item.dataset, tags["sha256"])
        assert set(logged) == {"train", "test"}
        for split, (dataset, sha256) in logged.items():
            path = finished / "data" / "05_model_input" / f"{split}.npz"
            assert json.loads(dataset.source)["uri"] == str(path)
            assert sha256 == ImageSetDataset(filepath=str(path)).load().sha256 == run.data.params[f"{split}_sha256"]
            assert dataset.name == "fashion_mnist" and dataset.digest == sha256[: len(dataset.digest)]


def test_samples_are_step_images_of_the_training_runs(client: mlflow.MlflowClient, runs: list[Run]) -> None:
    for name in ("train_gan", "train_wgan"):
        files = [Path(item.path).name for item in client.list_artifacts(run_of(runs, name).info.run_id, "images")]
        assert {re.match(r"samples\Wstep\W(\d+)", file)[1] for file in files} == {"1", "2"}


def test_distances_and_best_epochs_stand_in_the_training_runs(
    finished: Path, client: mlflow.MlflowClient, runs: list[Run]
) -> None:
    rows = metrics_of(finished)["fid"]["rows"]
    assert {row["model"] for row in rows} == {"gan", "wgan"}
    for row in rows:
        run = run_of(runs, f"train_{row['model']}")
        assert run.data.tags["classifier_best_epoch"] == str(row["best_epoch"])
        assert run.data.tags["classifier_distances_by_run"] == run_of(runs, "test: all").info.run_id
        curve = client.get_metric_history(run.info.run_id, "classifier_distance_to_test")
        assert sorted(point.step for point in curve) == [1, 2]
        assert min(point.value for point in curve) == row["best_on_test"]
        assert run.data.metrics["best_classifier_distance_to_benchmark"] == row["best_on_benchmark"]
        name = f"{row['model']}_generator"
        last, best = (client.get_model_version_by_alias(name, alias) for alias in ("last", "best"))
        assert best.tags["epoch"] == str(row["best_epoch"])
        assert best.tags["trained_by_run"] == best.run_id == last.run_id == run.info.run_id
        for version, when in ((last, "last"), (best, "best")):
            carried = {metric.key: metric for metric in client.get_logged_model(logged_model(version)).metrics}
            distance = carried["classifier_distance_to_test"]
            assert distance.value == row[f"{when}_on_test"] and distance.dataset_name == "test"
            assert carried["loss_generator"].step == distance.step == row[f"{when}_epoch"]
            assert not any("/" in name for name in carried)


def test_generators_are_ranked_by_distance(client: mlflow.MlflowClient, runs: list[Run]) -> None:
    order = [{"field_name": "metrics.classifier_distance_to_test", "ascending": True}]
    generators = client.search_logged_models([runs[0].info.experiment_id], order_by=order)
    distances = {metric.key: metric.value for model in generators[:1] for metric in model.metrics}
    best = [run_of(runs, name).data.metrics["best_classifier_distance_to_test"] for name in ("train_gan", "train_wgan")]
    assert distances["classifier_distance_to_test"] == min(best)
