"""All pipelines that a plain `kedro run` leaves out, together, on what it has made."""

from pathlib import Path

import pytest

from fashion_dgm.catalog.folders import ImageSetsDataset
from fashion_dgm.catalog.image_set import ImageSetDataset
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipeline_registry import DEFAULT, register_pipelines
from tests.e2e.command import copy_of, metrics_of, run, run_of, runs_of, table_of
from tests.e2e.conftest import made_once

EVALUATED = ("ood_eval", "fid_eval", "log_det_study")
"""What takes in the models of these pipelines."""


def files_of(project: Path) -> dict[str, bytes]:
    layers = ("05_model_input", "06_models", "07_model_output")
    files = [path for layer in layers for path in (project / "data" / layer).rglob("*") if path.is_file()]
    return {str(path.relative_to(project)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def complete(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    def run_them(folder: Path) -> None:
        project = copy_of(finished, folder / "project", tracking=True)
        opt_in = register_pipelines().keys() - {*DEFAULT, "__default__"}
        # Of MNIST's flows.
        parameters = "train_flow.epochs=1,train_mixture_flow.epochs=2"
        run(project, "--pipelines", ",".join((*opt_in, *EVALUATED)), "--params", parameters)
        run(project, "--pipelines", "report")

    return made_once(tmp_path_factory, "opt_in", run_them) / "project"


def test_no_result_of_another_pipeline_changes(finished: Path, complete: Path) -> None:
    before, after = files_of(finished), files_of(complete)
    changed = {Path(name).stem for name in before if before[name] != after.get(name)}
    evaluated = {name for pipeline in EVALUATED for name in register_pipelines()[pipeline].all_outputs()}
    assert changed and changed <= evaluated


def test_every_model_is_evaluated(complete: Path) -> None:
    metrics = metrics_of(complete)
    assert set(table_of(complete, "fid_by_epoch")["model"]) == {"gan", "wgan", "wgan_gp"}
    scores = table_of(complete, "ood_scores")
    assert set(scores["model"]) == {"RealNVP", "MixtureFlow", "ResidualFlow"}
    assert scores.loc[scores["model"] == "RealNVP", "likelihood_ratio"].notna().all()
    assert 0 < metrics["classifier"]["benchmark_accuracy"] < 1
    assert {"residual_flow", "stability", "mnist_flow", "mnist_ood", "wgan_gp"} <= set(metrics)
    assert "trained" in set(table_of(complete, "log_det_blocks")["kind"])


def test_the_report_shows_both_directions_and_the_configuration_of_each(complete: Path) -> None:
    page = (complete / "data" / "08_reporting" / "report.html").read_text()
    assert "The reverse direction" in page and "<code>train_flow.epochs</code> is 1, not 2" in page
    # The configuration that is printed is that of FashionMNIST's flows.
    assert "of them differs from the configuration" not in page


def mnist(project: Path, split: str) -> ImageSet:
    return ImageSetDataset(filepath=str(project / "data" / "05_model_input" / "mnist" / f"{split}.npz")).load()


def test_in_reverse_fashion_mnist_is_an_ood_set_of_both_flows(complete: Path) -> None:
    found = metrics_of(complete)["mnist_ood"]
    assert found["in_distribution"]["name"] == "mnist" and "fashion_mnist" in found["sets"]
    table = table_of(complete, "mnist_ood_table")
    assert set(table["model"]) == {"RealNVP", "MixtureFlow"} and "mnist" not in set(table["dataset"])
    for model in found["models"].values():
        assert {"nearest_features", "combined_labels", "likelihood_ratio"} <= set(model["missing"])
    known = {image.tobytes() for split in ("train", "test", "benchmark") for image in mnist(complete, split).images}
    for name, images in ImageSetsDataset(filepath=str(complete / "data/05_model_input/mnist/ood")).load().items():
        assert known.isdisjoint(image.tobytes() for image in images.images), name


def test_in_reverse_provenance_is_that_of_mnists_training_images(complete: Path) -> None:
    train = mnist(complete, "train").sha256
    metrics, runs = metrics_of(complete), runs_of(complete)
    for name in ("mnist_flow", "mnist_mixture_flow", "mnist_ood"):
        assert metrics[name]["origin"]["train_sha256"] == train and metrics[name]["origin"]["mismatches"] == []
    # Of both directions in one run, neither overwrites the other.
    assert any(
        {"final/mnist/sets.fashion_mnist.auroc", "final/sets.mnist.auroc"} <= set(run.data.metrics) for run in runs
    )
    for name in ("train_mnist_flow", "train_mnist_mixture_flow"):
        child = run_of(runs, name)
        assert child.data.params["mnist_train_sha256"] == train
        assert {item.dataset.name for item in child.inputs.dataset_inputs} == {"mnist"}
