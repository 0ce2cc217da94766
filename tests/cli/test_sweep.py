import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from fashion_dgm.cli.main import main
from fashion_dgm.cli.sweep import Run, runs_of, summary


def test_every_combination_has_a_folder_of_its_own() -> None:
    runs = runs_of(["train_gan", "train_wgan"], {"width": ["16", "32"], "seed": ["0", "1", "2"]}, Path("data/sweeps/x"))
    assert len(runs) == len({run.folder for run in runs}) == 12
    assert runs[0].folder == Path("data/sweeps/x/train_gan/width=16/seed=0")
    assert runs[0].name == "train_gan width=16 seed=0"


def test_command_names_what_the_run_differs_by() -> None:
    (run,) = runs_of(["train_wgan"], {"seed": ["3"]}, Path("out"))
    *command, parameters = run.command("quick", "train_wgan.epochs=4")
    assert command[-5:] == ["--env", "quick", "--pipelines", "train_wgan", "--params"]
    assert parameters == "train_wgan.epochs=4,train_wgan.seed=3,outputs=out/train_wgan/seed=3"


def test_metrics_are_the_numbers_of_the_metrics_file(tmp_path: Path) -> None:
    (run,) = runs_of(["train_flow"], {"seed": ["0"]}, Path("out"))
    folder = tmp_path / run.folder / "07_model_output"
    folder.mkdir(parents=True)
    (folder / "flow_metrics.json").write_text(json.dumps({"epochs": 3, "test": {"bits": 2.5}, "note": "text"}))
    assert run.metrics(tmp_path) == {"epochs": 3.0, "test.bits": 2.5}


def test_summary_is_over_the_seeds_of_one_setting() -> None:
    def run(width: str, seed: str) -> Run:
        return Run("train_gan", {"width": width, "seed": seed}, Path())

    table = summary({run("16", "0"): {"fid": 1.0}, run("16", "1"): {"fid": 3.0}, run("32", "0"): {"fid": 5.0}})
    assert table.columns.tolist() == ["pipeline", "width", "metric", "seeds", "mean", "sd"]
    assert table["width"].tolist() == ["16", "32"]
    assert table["seeds"].tolist() == [2, 1]
    assert table["mean"].tolist() == [2.0, 5.0]
    assert table["sd"].tolist()[0] == pytest.approx(2**0.5)


@pytest.mark.parametrize("value", ["width", "width=", "=3"])
def test_misspelt_setting_is_a_clear_message(value: str) -> None:
    done = CliRunner().invoke(main, ["sweep", "--vary", value])
    assert done.exit_code == 2
    assert "write NAME=VALUE,VALUE" in done.output
