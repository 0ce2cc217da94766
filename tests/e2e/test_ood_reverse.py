"""The reverse direction by the real command: results of its own, of MNIST's images throughout."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fashion_dgm.catalog.folders import ImageSetsDataset
from fashion_dgm.catalog.image_set import ImageSetDataset
from fashion_dgm.data.images import ImageSet
from tests.conftest import make_project
from tests.e2e.command import refused, run, run_of, runs_of


@pytest.fixture(scope="module")
def reverse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which nothing but `ood_reverse` has been run, with its results in the folder `elsewhere`."""
    project = make_project(tmp_path_factory.mktemp("reverse"))
    run(project, "--pipelines", "ood_reverse", "--params", "outputs=elsewhere")
    return project


def split(project: Path, name: str) -> ImageSet:
    return ImageSetDataset(filepath=str(project / "data" / "05_model_input" / "mnist" / f"{name}.npz")).load()


def metrics(project: Path, name: str) -> dict[str, Any]:
    return json.loads((project / "elsewhere" / "07_model_output" / f"{name}.json").read_text())


def test_every_result_says_mnist_and_those_of_fashion_mnist_are_left_alone(reverse: Path) -> None:
    made = [path for layer in ("06_models", "07_model_output") for path in (reverse / "elsewhere" / layer).iterdir()]
    assert len(made) == 15 and all(path.name.startswith("mnist_") for path in made)
    assert [path.name for path in (reverse / "data" / "05_model_input").iterdir()] == ["mnist"]
    assert not (reverse / "data" / "06_models").exists() and not (reverse / "data" / "07_model_output").exists()


def test_fashion_mnist_is_an_ood_set_of_both_flows(reverse: Path) -> None:
    found = metrics(reverse, "mnist_ood_metrics")
    assert found["in_distribution"]["name"] == "mnist" and "fashion_mnist" in found["sets"]
    table = pd.read_csv(reverse / "elsewhere" / "07_model_output" / "mnist_ood_table.csv")
    assert set(table["model"]) == {"RealNVP", "MixtureFlow"} and "mnist" not in set(table["dataset"])
    for model in found["models"].values():
        assert {"nearest_features", "combined_labels", "likelihood_ratio"} <= set(model["missing"])


def test_no_ood_set_holds_an_image_of_the_splits(reverse: Path) -> None:
    known = {image.tobytes() for name in ("train", "test", "benchmark") for image in split(reverse, name).images}
    for name, images in ImageSetsDataset(filepath=str(reverse / "data/05_model_input/mnist/ood")).load().items():
        assert known.isdisjoint(image.tobytes() for image in images.images), name


def test_provenance_is_that_of_mnists_training_images(reverse: Path) -> None:
    train = split(reverse, "train").sha256
    for name in ("mnist_flow_metrics", "mnist_mixture_flow_metrics", "mnist_ood_fit", "mnist_ood_metrics"):
        origin = metrics(reverse, name)["origin"]
        assert origin["train_sha256"] == train and origin["mismatches"] == [], name
    runs = runs_of(reverse)
    parent = run_of(runs, "test: ood_reverse")
    assert "final/mnist/sets.fashion_mnist.auroc" in parent.data.metrics
    assert all(name.startswith("final/mnist/") for name in parent.data.metrics if name.startswith("final/"))
    trained = {child.info.run_name: child for child in runs if child.info.run_name.startswith("train_")}
    assert set(trained) == {"train_mnist_flow", "train_mnist_mixture_flow"}
    for child in trained.values():
        assert child.data.params["mnist_train_sha256"] == train
        assert {item.dataset.name for item in child.inputs.dataset_inputs} == {"mnist"}


def test_a_flow_of_another_split_of_mnist_is_refused(reverse: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(reverse, tmp_path / "copy"))
    options = ("--pipelines", "ood_reverse", "--params", "outputs=elsewhere,data_split.seed=1", "--nodes")
    run(copy, *options, "split_mnist_images")
    assert "mnist_flow was trained on other images" in refused(copy, *options, "score_mnist_images")
