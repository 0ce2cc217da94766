"""Which runs Kedro-Viz records for its Workflow view."""

from typing import Any

import pytest
from kedro_viz.integrations.kedro.hooks_utils import is_default_run

from fashion_dgm.hooks import WorkflowHooks


@pytest.mark.parametrize(
    ("options", "recorded"),
    [
        ({}, True),
        ({"pipeline_names": None, "namespaces": []}, True),
        ({"pipeline_names": ["train_gan"]}, False),
        ({"namespaces": ["train_gan"]}, False),
        ({"tags": ["training"]}, False),
    ],
)
def test_a_run_of_some_pipelines_does_not_replace_the_record_of_all(options: dict[str, Any], recorded: bool) -> None:
    WorkflowHooks().before_pipeline_run(options)
    assert is_default_run(options) == recorded
