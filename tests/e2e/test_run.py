"""The real command, on small made-up images, in folders of its own."""

import os
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.conftest import made_up_images, make_project
from tests.e2e.command import (
    Signal,
    client_of,
    copy_of,
    kedro,
    metrics_of,
    refused,
    run,
    runs_of,
    table_of,
    turn_tracking_off,
)

PRODUCTS = ("07_model_output", "08_reporting")


def products(project: Path) -> dict[str, bytes]:
    files = (path for folder in PRODUCTS for path in (project / "data" / folder).rglob("*") if path.is_file())
    models = (project / "data" / "06_models").rglob("*.safetensors")
    return {str(path.relative_to(project)): path.read_bytes() for path in (*files, *models)}


def test_everything_promised_is_there(finished: Path) -> None:
    reporting = {path.name for path in (finished / "data" / "08_reporting").iterdir()}
    assert {"report.html", "metrics.json", "fid_curves.png", "ood_histogram.png", "flow_samples.png"} <= reporting
    snapshots = sorted(path.name for path in (finished / "data" / "06_models" / "gan_snapshots").iterdir())
    assert snapshots == ["epoch_0001.safetensors", "epoch_0002.safetensors"]
    assert table_of(finished, "wgan_history")["epoch"].tolist() == [1.0, 2.0]
    table = table_of(finished, "fid_by_epoch")
    assert set(table["model"]) == {"gan", "wgan"} and set(table["samples"]) == {60}


def test_metrics_are_those_of_the_run(finished: Path) -> None:
    metrics = metrics_of(finished)
    assert metrics["data"]["splits"]["train"]["images"] == 240
    assert metrics["data"]["splits"]["test"]["per_class"] == [6] * 10
    scores = table_of(finished, "ood_scores")
    scores = scores[(scores["model"] == "RealNVP") & scores["dataset"].isin(["fashion_mnist", "mnist"])]
    auroc = roc_auc_score(scores["dataset"] == "mnist", scores["likelihood"])
    assert metrics["ood"]["sets"]["mnist"]["auroc"] == pytest.approx(auroc, abs=1e-9)
    assert metrics["flow"]["reconstruction_error"] < 1e-3
    assert "was not asked for" in metrics["fid"]["missing"][0]


def test_held_out_images_lie_below_every_generator(finished: Path) -> None:
    """Held-out images are real: a generator below them would show a mistake in the distance or in the split."""
    table, by_epoch = table_of(finished, "sample_quality"), table_of(finished, "fid_by_epoch")
    floor = table[table["state"] == "floor"].iloc[0]
    generated = table[table["state"].isin(["best", "last"])]
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
    run(again)
    first, second = products(finished), products(again)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_a_finished_training_goes_on_for_more_epochs(copy: Path) -> None:
    changed = run(copy, "--pipeline", "train_gan", "--params", "train_gan.epochs=3")
    assert "going on after epoch 2 of 3" in changed
    assert len(table_of(copy, "gan_history")) == 3


def test_failed_and_interrupted_runs_are_marked_in_mlflow(untrained: Path) -> None:
    failed = refused(untrained, "--pipelines", "train_gan", "--params", "train_gan.batch_size=5000")
    assert "lower batch_size" in failed
    # What is refused before the first node is not recorded.
    assert "did you mean train_gan?" in refused(untrained, "--params", "train_gann.epochs=2")
    endless = ("--pipelines", "train_gan", "--params", "train_gan.epochs=5000")
    code, messages = kedro(untrained, *endless, signals=[Signal(signal.SIGTERM, 0, "epoch 1/5000", 1)])
    assert code == 128 + signal.SIGTERM
    assert "stopped by SIGTERM" in messages and "the same command goes on from there" in messages
    assert "Traceback" not in messages
    # Newest first: child and parent of the interrupted run, and of the failed one.
    assert [run.info.status for run in runs_of(untrained)] == ["KILLED", "KILLED", "FAILED", "FAILED"]


def test_a_killed_training_goes_on_in_its_run(untrained: Path) -> None:
    project = untrained
    command = ("--pipelines", "train_gan", "--params", "train_gan.epochs=6")
    code, _ = kedro(project, *command, signals=[Signal(signal.SIGKILL, 0, "epoch 3/6", 1)])
    assert code == -signal.SIGKILL
    run(project, *command)
    client, runs = client_of(project), runs_of(project)
    (training,) = (run for run in runs if run.info.run_name == "train_gan")
    parents = {run.info.run_id: run.info.status for run in runs if run.info.run_name == "test: train_gan"}
    assert sorted(parents.values()) == ["FINISHED", "KILLED"] and training.info.status == "FINISHED"
    assert parents[training.data.tags["mlflow.parentRunId"]] == "FINISHED"
    curve = client.get_metric_history(training.info.run_id, "loss_generator")
    assert sorted(point.step for point in curve) == [1, 2, 3, 4, 5, 6]

    # What is reused is not recorded again, but linked.
    run(project, *command)
    newest, *others = runs_of(project)
    assert newest.data.tags["reused.train_gan"] == training.info.run_id and len(others) == len(runs)


def test_nodes_are_named_with_or_without_their_pipeline(copy: Path) -> None:
    one = run(copy, "--nodes", "plot_gan_snapshots,report.collect_metrics")
    assert "Completed 2 out of 2 tasks" in one
    onwards = run(copy, "--pipelines", "train_gan,report", "--from-nodes", "collect_metrics")
    assert "Completed node: report.write_report" in onwards


def test_only_missing_outputs_are_made(copy: Path) -> None:
    """Of a figure without training, of a training by reusing it."""
    paths = [copy / "data" / name for name in ("08_reporting/gan_strip.png", "07_model_output/gan_history.csv")]
    for path, message in zip(
        paths, ("Running node: plot_gan_snapshots", "reusing the finished run of 2 epochs"), strict=True
    ):
        before = path.read_bytes()
        path.unlink()
        messages = run(copy, "--pipelines", "train_gan", "--only-missing-outputs")
        assert message in messages and ("Running node: train_gan:" in messages) == (path.suffix == ".csv")
        assert path.read_bytes() == before


MISTAKES = {
    "misspelt parameter": ("--params train_gan.epoch=2", "train_gan.epoch is 2: there is no such parameter"),
    "absent device": ("--pipelines train_gan --params train_gan.device=cuda:7,train_gan.seed=1", "cuda:7"),
    "unknown pipeline": ("--pipelines train_gna", "no pipeline train_gna; did you mean train_gan?"),
    "unknown node": ("--nodes plot_gna_training", "did you mean plot_gan_training?"),
    "unknown environment": ("--env quik", "no environment quik; did you mean quick?"),
    "unknown tag": ("--tags trainin", "no tag trainin; did you mean training?"),
    "unknown namespace": ("--namespaces train_gna", "no namespace train_gna; did you mean train_gan?"),
    "unknown dataset": ("--to-outputs gan_generatr", "no dataset gan_generatr; did you mean gan_generator?"),
    "unknown runner": ("--runner ThreadRuner", "no runner ThreadRuner; did you mean ThreadRunner?"),
    "unknown runner of another package": ("--runner nosuch.Runner", "there is no runner nosuch.Runner"),
    "node of an opt-in pipeline": ("--nodes train_wgan_gp", "which this run leaves out; add --pipelines train_wgan_gp"),
    "opt-in namespace": ("--namespaces train_wgan_gp", "which this run leaves out; add --pipelines train_wgan_gp"),
    "output of an opt-in pipeline": ("--to-outputs wgan_gp_metrics", "leaves out; add --pipelines train_wgan_gp"),
    "nothing left": ("--nodes plot_gan_snapshots --tags training", "leave nothing to run"),
    "no configuration": ("--conf-source data", "no environment test"),
}


@pytest.fixture(scope="module")
def unchanged(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of(finished, tmp_path_factory.mktemp("mistakes") / "copy")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_clear_message(unchanged: Path, mistake: str) -> None:
    arguments, expected = MISTAKES[mistake]
    before = products(unchanged)
    assert expected in refused(unchanged, *arguments.split())
    assert products(unchanged) == before


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def put_a_file_in_the_way(folder: Path) -> None:
    # Which stops root, too, whom permissions don't.
    shutil.rmtree(folder)
    folder.write_text("in the way")


def put_a_generator_in_its_place(path: Path) -> None:
    shutil.copy(path.with_name("gan_generator.safetensors"), path)


def put_a_text_in_its_place(database: Path) -> None:
    (database.parents[2] / "conf" / "test" / "tracking.yml").unlink()
    database.parent.mkdir()
    database.write_text("damaged " * 100)


FLOW, RAW = "06_models/flow.safetensors", "01_raw/fashion_mnist/train-images-idx3-ubyte"
BROKEN: dict[str, tuple[Callable[[Path], object], str, str, str]] = {
    "missing input": (Path.unlink, FLOW, "ood_eval", "flow: made by `kedro run --env test --pipelines train_flow`"),
    "other architecture": (put_a_generator_in_its_place, FLOW, "ood_eval", "holds a Generator, not a flow"),
    "truncated raw file": (truncate, RAW, "data_split", "train-images-idx3-ubyte"),
    # With the base environment's checksums, small made-up files are altered ones.
    "altered raw file": (Path.resolve, "01_raw", "data_split --env base", "SHA-256"),
    "no raw file": (shutil.rmtree, "01_raw/mnist", "data_split", "train-images-idx3-ubyte"),
    "unwritable output": (put_a_file_in_the_way, "07_model_output", "train_gan", "cannot write"),
    "damaged database": (put_a_text_in_its_place, "09_tracking/mlflow.db", "train_gan", "mlflow.db is damaged"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_what_is_broken_is_one_clear_message(copy: Path, fault: str) -> None:
    damage, name, arguments, expected = BROKEN[fault]
    damage(copy / "data" / name)
    assert expected in refused(copy, "--pipelines", *arguments.split())


def test_a_bad_set_of_the_users_loses_no_other(copy: Path) -> None:
    (copy / "good").mkdir()
    (copy / "bad").mkdir()
    np.save(copy / "good" / "a.npy", np.full((30, 40, 60, 3), 200, dtype=np.uint8))
    np.save(copy / "bad" / "a.npy", np.full((30, 28, 28), np.nan))
    folders = "ood_sets.folders.good=good,ood_sets.folders.bad=bad"
    messages = run(copy, "--pipelines", "data_split,ood_eval,report", "--params", folders)
    assert "out-of-distribution set bad is skipped" in messages
    metrics = metrics_of(copy)
    assert metrics["ood"]["sets"]["good"]["images"] == 30 and "bad" not in metrics["ood"]["sets"]
    assert "NaN" in metrics["ood_sets"]["sets"]["bad"]["reason"]
    report = (copy / "data" / "08_reporting" / "report.html").read_text()
    assert "colour to grey" in report and "holds NaN" in report


def test_samples_of_the_users_are_scored_and_bad_ones_lose_no_other(copy: Path) -> None:
    models = copy / "data" / "06_models"
    shutil.rmtree(models / "wgan_snapshots")
    shutil.copy(models / "gan_discriminator.safetensors", models / "gan_snapshots" / "epoch_0001.safetensors")
    np.save(copy / "mine.npy", made_up_images(60, seed=9).images)
    (copy / "empty").mkdir()
    bring = "fid_eval.samples_from.mine=mine.npy,fid_eval.samples_from.empty=empty"
    messages = run(copy, "--pipelines", "fid_eval", "--params", bring)
    assert table_of(copy, "sample_quality")[["model", "state"]].to_numpy().tolist() == [
        ["gan", "best"],
        ["gan", "last"],
        *2 * [["RealNVP", "flow"]],  # at two temperatures
        *2 * [["MixtureFlow", "flow"]],
        ["mine", "external"],
        ["test", "floor"],
        ["train", "training"],
    ]
    assert "gan, epoch 1 could not be scored: this checkpoint holds a Discriminator" in messages
    assert "empty could not be scored" in messages
