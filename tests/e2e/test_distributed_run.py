"""The real command, with training spread over two processes."""

from pathlib import Path

from tests.e2e.command import client_of, run, runs_of, table_of


def test_two_processes_make_one_run_and_one_checkpoint(untrained: Path) -> None:
    parameters = "train_gan.distributed.processes_per_node=2,train_gan.batch_size=16"
    run(untrained, "--pipelines", "train_gan", "--params", parameters)
    assert len(list((untrained / "data" / "06_models").glob("gan_*.safetensors"))) == 2
    assert len(list((untrained / "data" / "06_models").glob("gan_state/*/state.pt"))) == 1
    assert table_of(untrained, "gan_history")["epoch"].tolist() == [1, 2]

    child, parent = runs_of(untrained)
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert child.info.status == parent.info.status == "FINISHED"
    assert child.data.params["distributed.processes_per_node"] == "2"
    curve = client_of(untrained).get_metric_history(child.info.run_id, "loss_generator")
    assert [point.step for point in curve] == [1, 2]
