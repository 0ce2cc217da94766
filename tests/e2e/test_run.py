"""The real command, on small made-up images, in folders of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from tests.conftest import made_up_images, make_project
from tests.e2e.command import kedro, start_kedro

PRODUCTS = ("07_model_output", "08_reporting")


def products(project: Path) -> dict[str, bytes]:
    files = (path for folder in PRODUCTS for path in (project / "data" / folder).rglob("*") if path.is_file())
    models = (project / "data" / "06_models").rglob("*.safetensors")
    return {str(path.relative_to(project)): path.read_bytes() for path in (*files, *models)}


def turn_tracking_off(project: Path) -> None:
    (project / "conf" / "test" / "tracking.yml").write_text("enabled: false\n")


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """The finished project, to be changed at will; MLflow, whose database takes seconds to make, is off."""
    project = Path(shutil.copytree(finished, tmp_path / "copy", ignore=shutil.ignore_patterns("09_tracking")))
    turn_tracking_off(project)
    return project


def test_everything_promised_is_there(finished: Path) -> None:
    reporting = {path.name for path in (finished / "data" / "08_reporting").iterdir()}
    assert {"report.html", "metrics.json", "fid_curves.png", "ood_histogram.png", "flow_samples.png"} <= reporting
    snapshots = sorted(path.name for path in (finished / "data" / "06_models" / "gan_snapshots").iterdir())
    assert snapshots == ["epoch_0001.safetensors", "epoch_0002.safetensors"]
    history = pd.read_csv(finished / "data" / "07_model_output" / "wgan_history.csv")
    assert history["epoch"].tolist() == [1.0, 2.0]
    table = pd.read_csv(finished / "data" / "07_model_output" / "fid_by_epoch.csv")
    assert set(table["model"]) == {"gan", "wgan"} and set(table["samples"]) == {60}


def test_metrics_are_those_of_the_run(finished: Path) -> None:
    metrics = json.loads((finished / "data" / "08_reporting" / "metrics.json").read_text())
    assert metrics["data"]["splits"]["train"]["images"] == 240
    assert metrics["data"]["splits"]["test"]["per_class"] == [6] * 10
    scores = pd.read_csv(finished / "data" / "07_model_output" / "ood_scores.csv")
    scores = scores[(scores["model"] == "RealNVP") & scores["dataset"].isin(["fashion_mnist", "mnist"])]
    auroc = roc_auc_score(scores["dataset"] == "mnist", scores["likelihood"])
    assert metrics["ood"]["sets"]["mnist"]["auroc"] == pytest.approx(auroc, abs=1e-9)
    assert metrics["flow"]["reconstruction_error"] < 1e-3
    assert "was not asked for" in metrics["fid"]["missing"][0]


def test_held_out_images_lie_below_every_generator(finished: Path) -> None:
    """Held-out images are real: a generator below them would show a mistake in the distance or in the split."""
    table = pd.read_csv(finished / "data" / "07_model_output" / "sample_quality.csv")
    floor = table[table["state"] == "floor"].iloc[0]
    generated = table[table["state"].isin(["best", "last"])]
    by_epoch = pd.read_csv(finished / "data" / "07_model_output" / "fid_by_epoch.csv")
    assert set(generated["model"]) == {"gan", "wgan"}
    for split in ("test", "benchmark"):
        assert floor["distance_benchmark"] < by_epoch.loc[by_epoch["split"] == split, "distance"].min()
    assert floor["kid"] < generated["kid"].min() and floor["coverage"] > generated["coverage"].max()


def test_report_names_neither_host_nor_folder(finished: Path) -> None:
    report = (finished / "data" / "08_reporting" / "report.html").read_text()
    text = re.sub(r"base64,[^\"]*", "", report)
    for name in (str(finished), str(Path.home()), os.uname().nodename):
        # As a word: a short name such as "vm" is a part of many others.
        assert re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is None, name
    assert "<img" in report and 'src="http' not in report


def test_two_runs_are_equal_to_the_byte(finished: Path, tmp_path: Path) -> None:
    again = make_project(tmp_path)
    turn_tracking_off(again)
    done = kedro(again, "--env", "test")
    assert done.returncode == 0, done.stderr
    first, second = products(finished), products(again)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_finished_models_are_reused_and_runtime_parameters_retrain(copy: Path) -> None:
    again = kedro(copy, "--env", "test", "--pipelines", "train_gan")
    assert "reusing the finished run of 2 epochs" in again.stderr
    changed = kedro(copy, "--env", "test", "--pipeline", "train_gan", "--params", "train_gan.epochs=3")
    assert changed.returncode == 0, changed.stderr
    assert "going on after epoch 2 of 3" in changed.stderr
    assert len(pd.read_csv(copy / "data" / "07_model_output" / "gan_history.csv")) == 3


MISTAKES = {
    "misspelt parameter": (["--params", "train_gan.epoch=2"], "train_gan.epoch is 2: there is no such parameter"),
    "misspelt block": (["--params", "train_gann.epochs=2"], "did you mean train_gan?"),
    "negative epochs": (["--params", "train_gan.epochs=-1"], "train_gan.epochs is -1"),
    "absent device": (["--pipelines", "train_gan", "--params", "train_gan.device=cuda:7,train_gan.seed=1"], "cuda:7"),
    "unknown objective": (
        ["--params", "train_gan.objective=wasserstin"],
        "no objective wasserstin; there are: non_sat",
    ),
    "unknown pipeline": (["--pipelines", "train_gna"], "did you mean train_gan?"),
    "unknown node": (["--nodes", "plot_gna_training"], "did you mean plot_gan_training?"),
    "unknown environment": (["--env", "quik"], "no environment quik; did you mean quick?"),
    "unknown tag": (["--tags", "trainin"], "no tag trainin; did you mean training?"),
    "unknown namespace": (["--namespaces", "train_gna"], "no namespace train_gna; did you mean train_gan?"),
    "unknown dataset": (["--to-outputs", "gan_generatr"], "no dataset gan_generatr; did you mean gan_generator?"),
    "unknown runner": (["--runner", "ThreadRuner"], "did you mean ThreadRunner?"),
    "other runner": (["--runner", "ParallelRunner"], "leave out --runner"),
    "nothing left": (["--nodes", "plot_gan_snapshots", "--tags", "training"], "leave nothing to run"),
    "no configuration": (["--conf-source", "data"], "no environment test"),
}


def test_failed_and_interrupted_runs_are_marked_in_mlflow(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    assert kedro(project, "--env", "test", "--pipelines", "data_split").returncode == 0
    failed = kedro(project, "--env", "test", "--pipelines", "train_gan", "--params", "train_gan.batch_size=5000")
    assert_refused(failed, "lower batch_size")
    # What is refused before the first node is not recorded.
    assert_refused(kedro(project, "--env", "test", "--params", "train_gann.epochs=2"), "did you mean train_gan?")
    process = start_kedro(project, "--env", "test", "--pipelines", "train_gan", "--params", "train_gan.epochs=5000")
    assert process.stderr is not None
    for line in process.stderr:
        if "epoch 1/5000" in line:
            process.send_signal(signal.SIGTERM)
            break
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "stopped by SIGTERM" in messages and "the same command goes on from there" in messages
    assert "Traceback" not in messages
    client = mlflow.MlflowClient(f"sqlite:///{project / 'data' / '09_tracking' / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("fashion-dgm").experiment_id])
    # Newest first: child and parent of the interrupted run, of the failed one, and the run that only split the data.
    assert [run.info.status for run in runs] == ["KILLED", "KILLED", "FAILED", "FAILED", "FINISHED"]


def test_nodes_are_named_with_or_without_their_pipeline(copy: Path) -> None:
    one = kedro(copy, "--env", "test", "--nodes", "plot_gan_snapshots,report.collect_metrics")
    assert "Completed 2 out of 2 tasks" in one.stderr, one.stderr
    onwards = kedro(copy, "--env", "test", "--pipelines", "train_gan,report", "--from-nodes", "collect_metrics")
    assert "Completed node: report.write_report" in onwards.stderr, onwards.stderr


def test_only_missing_outputs_leaves_the_training_alone(copy: Path) -> None:
    strip = copy / "data" / "08_reporting" / "gan_strip.png"
    before = strip.read_bytes()
    strip.unlink()
    done = kedro(copy, "--env", "test", "--pipelines", "train_gan", "--only-missing-outputs")
    assert done.returncode == 0, done.stderr
    assert "Running node: plot_gan_snapshots" in done.stderr
    assert "Running node: train_gan:" not in done.stderr
    assert strip.read_bytes() == before


def test_missing_outputs_of_a_finished_training_are_written_without_training(copy: Path) -> None:
    history = copy / "data" / "07_model_output" / "gan_history.csv"
    before = history.read_bytes()
    history.unlink()
    done = kedro(copy, "--env", "test", "--pipelines", "train_gan", "--only-missing-outputs")
    assert "reusing the finished run of 2 epochs" in done.stderr
    assert history.read_bytes() == before


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_one_clear_message(copy: Path, mistake: str) -> None:
    arguments, expected = MISTAKES[mistake]
    before = products(copy)
    done = kedro(copy, "--env", "test", *arguments)
    assert_refused(done, expected)
    assert products(copy) == before


def assert_refused(done: subprocess.CompletedProcess[str], expected: str) -> None:
    assert done.returncode != 0
    assert expected in done.stderr.split("Error: ")[-1]
    assert "Traceback" not in done.stderr


def test_a_bad_set_of_the_users_loses_no_other(copy: Path) -> None:
    (copy / "good").mkdir()
    (copy / "bad").mkdir()
    np.save(copy / "good" / "a.npy", np.full((30, 40, 60, 3), 200, dtype=np.uint8))
    np.save(copy / "bad" / "a.npy", np.full((30, 28, 28), np.nan))
    folders = "ood_sets.folders.good=good,ood_sets.folders.bad=bad"
    done = kedro(copy, "--env", "test", "--pipelines", "data_split,ood_eval,report", "--params", folders)
    assert done.returncode == 0, done.stderr
    assert "out-of-distribution set bad is skipped" in done.stderr
    metrics = json.loads((copy / "data" / "08_reporting" / "metrics.json").read_text())
    assert metrics["ood"]["sets"]["good"]["images"] == 30 and "bad" not in metrics["ood"]["sets"]
    assert "NaN" in metrics["ood_sets"]["sets"]["bad"]["reason"]
    report = (copy / "data" / "08_reporting" / "report.html").read_text()
    assert "colour to grey" in report and "holds NaN" in report


def test_missing_input_names_the_pipeline_that_makes_it(copy: Path) -> None:
    (copy / "data" / "06_models" / "flow.safetensors").unlink()
    done = kedro(copy, "--env", "test", "--pipelines", "ood_eval")
    assert_refused(done, "flow: made by `kedro run --pipelines train_flow`")


def test_samples_of_the_users_are_scored_and_bad_ones_lose_no_other(copy: Path) -> None:
    models = copy / "data" / "06_models"
    shutil.rmtree(models / "wgan_snapshots")
    shutil.copy(models / "gan_discriminator.safetensors", models / "gan_snapshots" / "epoch_0001.safetensors")
    np.save(copy / "mine.npy", made_up_images(60, seed=9).images)
    (copy / "empty").mkdir()
    bring = "fid_eval.samples_from.mine=mine.npy,fid_eval.samples_from.empty=empty"
    done = kedro(copy, "--env", "test", "--pipelines", "fid_eval", "--params", bring)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(copy / "data" / "07_model_output" / "sample_quality.csv")
    assert table[["model", "state"]].to_numpy().tolist() == [
        ["gan", "best"],
        ["gan", "last"],
        ["mine", "external"],
        ["test", "floor"],
        ["train", "training"],
    ]
    assert "gan, epoch 1 could not be scored: this checkpoint holds a Discriminator" in done.stderr
    assert "empty could not be scored" in done.stderr


def test_truncated_raw_file_is_one_clear_message(copy: Path) -> None:
    raw = copy / "data" / "01_raw" / "fashion_mnist" / "train-images-idx3-ubyte"
    raw.write_bytes(raw.read_bytes()[:-100])
    done = kedro(copy, "--env", "test", "--pipelines", "data_split")
    assert_refused(done, "train-images-idx3-ubyte")


def test_altered_raw_file_is_one_clear_message(copy: Path) -> None:
    # With the base environment's checksums, small made-up files are altered ones.
    done = kedro(copy, "--env", "base", "--pipelines", "data_split")
    assert_refused(done, "SHA-256")


def test_unreachable_sources_are_listed(copy: Path) -> None:
    shutil.rmtree(copy / "data" / "01_raw" / "mnist")
    done = kedro(copy, "--env", "test", "--pipelines", "data_split")
    assert_refused(done, "train-images-idx3-ubyte")


def test_checkpoint_of_another_architecture_is_one_clear_message(copy: Path) -> None:
    models = copy / "data" / "06_models"
    shutil.copy(models / "gan_generator.safetensors", models / "flow.safetensors")
    done = kedro(copy, "--env", "test", "--pipelines", "ood_eval")
    assert_refused(done, "holds a Generator, not a flow")


def test_unwritable_output_is_one_clear_message(copy: Path) -> None:
    # A file where the folder should be stops root, too, whom permissions don't.
    shutil.rmtree(copy / "data" / "07_model_output")
    (copy / "data" / "07_model_output").write_text("in the way")
    done = kedro(copy, "--env", "test", "--pipelines", "train_gan")
    assert_refused(done, "cannot write")
