"""What a run is called in MLflow, and whether Kedro-Viz records it for its Workflow view."""

from typing import Any

import pytest
from kedro_viz.integrations.kedro.hooks_utils import is_default_run

from fashion_dgm.hooks import WorkflowHooks
from fashion_dgm.hooks.tracking import pipelines_of


@pytest.mark.parametrize(
    ("options", "pipelines", "recorded"),
    [
        ({}, ["__default__"], True),
        ({"pipeline_names": None, "namespaces": []}, ["__default__"], True),
        ({"pipeline_names": ["train_wgan", "fid_eval"]}, ["fid_eval", "train_wgan"], False),
        # As an orchestrator asks for them, a task a pipeline.
        ({"pipeline_names": ["__default__"], "namespaces": ["train_gan"]}, ["train_gan"], False),
        ({"tags": ["training"]}, ["__default__"], False),
    ],
)
def test_a_run_of_some_pipelines_is_named_by_them_and_does_not_replace_the_record_of_all(
    options: dict[str, Any], pipelines: list[str], recorded: bool
) -> None:
    assert pipelines_of(options) == pipelines
    WorkflowHooks().before_pipeline_run(options)
    assert is_default_run(options) == recorded
