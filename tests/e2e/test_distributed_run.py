"""The real command, with training spread over two processes."""

from pathlib import Path

import pandas as pd

from tests.conftest import make_project
from tests.e2e.command import client_of, run, runs_of


def test_two_processes_make_one_run_and_one_checkpoint(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    parameters = "train_gan.distributed.processes_per_node=2,train_gan.batch_size=16"
    run(project, "--pipelines", "data_split,train_gan", "--params", parameters)
    assert len(list((project / "data" / "06_models").glob("gan_*.safetensors"))) == 2
    assert len(list((project / "data" / "06_models").glob("gan_state/*/state.pt"))) == 1
    assert pd.read_csv(project / "data" / "07_model_output" / "gan_history.csv")["epoch"].tolist() == [1, 2]

    runs = runs_of(project)
    (child,) = (run for run in runs if run.info.run_name == "train_gan" and "mlflow.parentRunId" in run.data.tags)
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert child.data.params["distributed.processes_per_node"] == "2"
    assert [point.step for point in client_of(project).get_metric_history(child.info.run_id, "loss_generator")] == [
        1,
        2,
    ]
