"""What a run is called in MLflow."""

from typing import Any

import pytest

from fashion_dgm.hooks.tracking import pipelines_of


@pytest.mark.parametrize(
    ("options", "pipelines"),
    [
        ({}, ["__default__"]),
        ({"pipeline_names": None, "namespaces": []}, ["__default__"]),
        ({"pipeline_names": ["train_wgan", "fid_eval"]}, ["fid_eval", "train_wgan"]),
        # As an orchestrator asks for them, a task a pipeline.
        ({"pipeline_names": ["__default__"], "namespaces": ["train_gan"]}, ["train_gan"]),
    ],
)
def test_a_run_is_named_by_what_it_runs(options: dict[str, Any], pipelines: list[str]) -> None:
    assert pipelines_of(options) == pipelines
