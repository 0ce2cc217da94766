"""MLflow is a side channel: where it fails, runs go on."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.hooks import MLflowHooks
from fashion_dgm.pipelines.tracking import log_epoch


def broken(*args: Any, **kwargs: Any) -> None:
    raise MlflowException("the server is gone")


def test_an_epoch_that_mlflow_does_not_take_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mlflow, "log_metrics", broken)
    monkeypatch.setattr(mlflow, "active_run", lambda: SimpleNamespace())
    with caplog.at_level(logging.WARNING):
        log_epoch({"epoch": 1, "loss": 0.5}, 1.0)
    assert caplog.messages == ["not recorded in MLflow (log_epoch): the server is gone"]


def test_nothing_is_logged_where_no_run_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow, "log_metrics", lambda *args, **kwargs: pytest.fail("logged"))
    monkeypatch.setattr(mlflow, "active_run", lambda: None)
    log_epoch({"epoch": 1, "loss": 0.5}, 1.0)


def test_a_run_that_cannot_be_recorded_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = MLflowHooks()
    hooks._config = SimpleNamespace(enabled=True)
    monkeypatch.setattr(hooks, "_connect", broken)
    with pytest.raises(FashionDGMError, match=r"the server is gone\n.*enabled: false"):
        hooks.before_pipeline_run({}, None, None)
