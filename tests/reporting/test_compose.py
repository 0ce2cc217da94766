from __future__ import annotations

from typing import Any

from fashion_dgm.pipeline_registry import register_pipelines
from fashion_dgm.reporting.compose import opt_in_commands


def test_a_default_run_needs_no_second_command(metrics: dict[str, Any]) -> None:
    assert opt_in_commands(metrics, "kedro run") == ()


def test_results_of_opt_in_pipelines_add_their_commands(metrics: dict[str, Any]) -> None:
    some = metrics | {"stability": {}, "wgan_gp": {"loss_generator": 0.5}}
    expected = "kedro run --env quick --pipelines train_wgan_gp,stability,ood_eval,fid_eval,report"
    assert opt_in_commands(some, "kedro run --env quick") == (expected,)
    scored = {**metrics["ood"], "models": {"RealNVP": {"results": {"likelihood_ratio": {}}}}}
    (command,) = opt_in_commands(metrics | {"ood": scored}, "kedro run")
    assert "train_background_flow," in command


def test_every_pipeline_of_the_command_exists(metrics: dict[str, Any]) -> None:
    names = ("residual_flow", "wgan_gp", "stability", "mnist_ood")
    (command,) = opt_in_commands(metrics | {name: {} for name in names}, "kedro run")
    assert set(command.split()[-1].split(",")) <= set(register_pipelines())
