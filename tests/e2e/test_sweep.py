"""Several runs at a time, through Ray, on small made-up images."""

import itertools
import json
from pathlib import Path

import pandas as pd
import pytest

from tests.e2e.command import copy_of, python, runs_of
from tests.e2e.conftest import made_once

OUTCOME = "outcome.json"


@pytest.fixture(scope="module")
def swept(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project after a sweep, one of whose seeds is refused, and beside it what the command printed."""

    def sweep(folder: Path) -> None:
        project = copy_of(finished, folder / "project", "06_models", tracking=True)
        command = "-m fashion_dgm.cli.main sweep --env test --pipelines train_gan,train_wgan --seeds 0,1,-1"
        done = python(project, *command.split())
        (folder / OUTCOME).write_text(json.dumps([done.returncode, done.stdout, done.stderr]))

    return made_once(tmp_path_factory, "sweep", sweep) / "project"


def test_results_lie_apart_and_are_summed_up(swept: Path) -> None:
    folder = swept / "data" / "sweeps" / "test"
    table = pd.read_csv(folder / "summary.csv")
    for model in ("gan", "wgan"):
        losses = []
        for seed in (0, 1):
            results = folder / f"train_{model}" / f"seed={seed}"
            assert (results / "06_models" / f"{model}_generator.safetensors").is_file()
            losses.append(pd.read_csv(results / "07_model_output" / f"{model}_history.csv")["loss_generator"].iloc[-1])
        row = table[(table["pipeline"] == f"train_{model}") & (table["metric"] == "loss_generator")].iloc[0]
        assert row["seeds"] == 2
        assert row["mean"] == pytest.approx(pd.Series(losses).mean())
        assert row["sd"] == pytest.approx(pd.Series(losses).std())
    assert not list((swept / "data" / "06_models").glob("*.safetensors"))


def test_all_runs_are_in_one_experiment(swept: Path) -> None:
    trained = [run for run in runs_of(swept) if "node" in run.data.tags and run.info.status == "FINISHED"]
    named = {(run.info.run_name, run.data.params["seed"]) for run in trained}
    assert len(trained) == 4 and named == set(itertools.product(("train_gan", "train_wgan"), "01"))


def test_one_failure_does_not_lose_the_others(swept: Path) -> None:
    code, out, err = json.loads((swept.parent / OUTCOME).read_text())
    assert code == 1
    assert out.count(": done") == 4
    assert "train_wgan seed=-1: these parameters are wrong" in out
    assert "2 of 6 runs failed" in err
    assert "Traceback" not in out + err
