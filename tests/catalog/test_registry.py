"""Models in MLflow's registry: one version for the same weights."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pytest
import torch

from fashion_dgm.catalog.registry import Predictor, is_registrable, logged_model, register, registered
from fashion_dgm.checkpoint import Checkpoint, checkpoint_of
from fashion_dgm.classifier.network import Classifier
from fashion_dgm.gans.networks import Discriminator, Generator


def generator(seed: int) -> Checkpoint:
    torch.manual_seed(seed)
    return checkpoint_of(Generator(3, 2), "Generator", {"latent_dim": 3, "width": 2}, {"epoch": seed + 1})


@pytest.fixture
def client(tmp_path: Path) -> Iterator[mlflow.MlflowClient]:
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    mlflow.create_experiment("registry", (tmp_path / "artifacts").as_uri())
    mlflow.set_experiment("registry")
    with mlflow.start_run():
        yield mlflow.MlflowClient()
    mlflow.set_tracking_uri(before)


def test_the_same_weights_are_one_version(client: mlflow.MlflowClient) -> None:
    versions = [
        register("g", generator(0), "last", {"env": "test"}),
        register("g", generator(0), "best", {"distance": 2.5}),
        register("g", generator(1), "last", {"env": "test"}),
    ]
    assert [int(version.version) for version in versions] == [1, 1, 2]
    found = registered("g", generator(1))
    assert found is not None and logged_model(found) == logged_model(versions[2]) != logged_model(versions[0])
    assert registered("g", generator(2)) is None
    assert {alias: str(version) for alias, version in client.get_registered_model("g").aliases.items()} == {
        "best": "1",
        "last": "2",
    }
    tags = client.get_model_version("g", "1").tags
    assert tags == {"weights_sha256": generator(0).sha256, "epoch": "1", "env": "test", "distance": "2.5"}


def test_a_model_carries_the_metrics_of_its_epoch_in_the_run_that_trained_it(client: mlflow.MlflowClient) -> None:
    trained = mlflow.active_run().info.run_id
    for epoch in (1, 2):
        mlflow.log_metric("loss", 10.0 - epoch, step=epoch)
    mlflow.end_run()
    with mlflow.start_run():
        mlflow.log_metric("distance of another", 3.0)
        version = register("g", generator(1), "best", {}, trained)
        mlflow.log_metric("after", 4.0)
    (model,) = mlflow.search_logged_models(output_format="list")
    assert model.source_run_id == trained and model.model_id == logged_model(version)
    assert [(metric.key, metric.value, metric.step) for metric in model.metrics] == [("loss", 8.0, 2)]


def test_a_classifier_gives_logits_of_8_bit_images() -> None:
    torch.manual_seed(0)
    network = Classifier(2, 4).eval()
    pixels = torch.randint(0, 256, (5, 1, 28, 28), dtype=torch.uint8)
    logits = Predictor(checkpoint_of(network, "Classifier", {"width": 2, "feature_dim": 4})).predict(pixels.numpy())
    with torch.no_grad():
        np.testing.assert_array_equal(logits, network(pixels / 255).numpy())


def test_what_has_no_signature_is_not_registered() -> None:
    assert is_registrable(generator(0))
    assert not is_registrable(checkpoint_of(Discriminator(2), "Discriminator", {"width": 2}))
    assert not is_registrable({"architecture": "Generator"})
