"""What a sweep runs and sums up; tests/e2e/test_sweep.py runs one."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from fashion_dgm.cli.sweep import Run, runs_of, summary, sweep
from fashion_dgm.errors import FashionDGMError


def test_every_combination_has_a_folder_and_a_command_of_its_own() -> None:
    runs = runs_of(["train_gan", "train_wgan"], {"width": ["16", "32"], "seed": ["0", "1", "2"]}, Path("out"))
    assert len(runs) == len({run.folder for run in runs}) == 12
    assert runs[0].name == "train_gan width=16 seed=0"
    assert runs[0].command("quick", "train_gan.epochs=4")[-5:] == [
        *("quick", "--pipelines", "train_gan", "--params"),
        "train_gan.epochs=4,train_gan.width=16,train_gan.seed=0,outputs=out/train_gan/width=16/seed=0",
    ]


def test_summary_is_over_the_seeds_of_one_setting() -> None:
    def run(width: str, seed: str) -> Run:
        return Run("train_gan", {"width": width, "seed": seed}, Path())

    table = summary({run("16", "0"): {"fid": 1.0}, run("16", "1"): {"fid": 3.0}, run("32", "0"): {"fid": 5.0}})
    assert table.columns.tolist() == ["pipeline", "width", "metric", "seeds", "mean", "sd"]
    assert table[["width", "seeds", "mean"]].to_numpy().tolist() == [["16", 2, 2.0], ["32", 1, 5.0]]
    assert table["sd"].tolist()[0] == pytest.approx(2**0.5)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([], {}),
        (["gan"], {"loss.last": 0.0}),
        (["mnist_flow", "mnist_ood"], {"mnist_flow.loss.last": 0.0, "mnist_ood.loss.last": 1.0}),
    ],
)
def test_a_run_has_the_numbers_of_all_its_metrics_files(
    tmp_path: Path, files: list[str], expected: dict[str, float]
) -> None:
    folder = tmp_path / "out" / "07_model_output"
    folder.mkdir(parents=True)
    for number, name in enumerate(files):
        (folder / f"{name}_metrics.json").write_text(json.dumps({"loss": {"last": number}, "label": "a"}))
    assert Run("train_gan", {"seed": "0"}, Path("out")).metrics(tmp_path) == expected


def test_summary_of_runs_without_metrics_is_empty() -> None:
    table = summary({Run("train_background_flow", {"width": "16", "seed": "0"}, Path()): {}})
    assert table.empty and table.columns.tolist() == ["pipeline", "width", "metric", "seeds", "mean", "sd"]


def test_a_damaged_metrics_file_is_an_error_of_the_library(tmp_path: Path) -> None:
    (tmp_path / "07_model_output").mkdir()
    (tmp_path / "07_model_output" / "gan_metrics.json").write_text("{")
    with pytest.raises(FashionDGMError, match=r"gan_metrics\.json is damaged"):
        Run("train_gan", {"seed": "0"}, Path()).metrics(tmp_path)


def test_parameters_and_flags_are_no_metrics(tmp_path: Path) -> None:
    (tmp_path / "07_model_output").mkdir()
    metrics = {"loss": 1, "reached": True, "origin": {"parameters": {"train_gan": {"seed": 2}}}}
    (tmp_path / "07_model_output" / "gan_metrics.json").write_text(json.dumps(metrics))
    assert Run("train_gan", {"seed": "2"}, Path()).metrics(tmp_path) == {"loss": 1.0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seeds", ""], "write different values"),
        (["--seeds", "0,0"], "write different values"),
        (["--vary", "width=32,"], "write different values"),
        (["--vary", "width=32, 32"], "write different values"),
        (["--vary", "width=32", "--vary", "width=64"], "name each parameter once"),
        (["--vary", "seed=1"], "give seeds as --seeds"),
        (["--cpus-per-run", "-1"], "--cpus-per-run"),
        (["--gpus-per-run", "-1"], "--gpus-per-run"),
        (["--retries", "-1"], "--retries"),
        (["--env", "qiuck"], "did you mean quick?"),
    ],
)
def test_what_no_sweep_can_be_made_of_is_refused_before_ray_starts(options: list[str], message: str) -> None:
    result = CliRunner().invoke(sweep, options)
    assert result.exit_code and message in result.output


def test_kedros_variable_names_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEDRO_ENV", "qiuck")
    assert "did you mean quick?" in CliRunner().invoke(sweep, []).output
