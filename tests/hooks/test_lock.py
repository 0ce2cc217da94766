"""A second command that would write into the same folder is refused."""

import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline

from fashion_dgm.catalog.files import JSONDataset
from fashion_dgm.catalog.local import StateStoreDataset
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.hooks import LockHooks

PIPELINE = Pipeline([Node(lambda store: {}, "gan_state", "gan_metrics", name="one")])


def catalog_in(folder: Path) -> DataCatalog:
    return DataCatalog(
        {
            "gan_state": StateStoreDataset(filepath=str(folder / "06_models" / "gan_state")),
            "gan_metrics": JSONDataset(filepath=str(folder / "07_model_output" / "gan_metrics.json")),
        }
    )


def begun(folder: Path, pipeline: Pipeline = PIPELINE) -> LockHooks:
    hooks = LockHooks()
    hooks.before_pipeline_run(pipeline=pipeline, catalog=catalog_in(folder))
    return hooks


@pytest.mark.parametrize("end", ["after_pipeline_run", "on_pipeline_error"])
def test_the_second_of_two_commands_is_refused_until_the_first_has_ended(tmp_path: Path, end: str) -> None:
    first = begun(tmp_path)
    owner = rf"^{re.escape(str(tmp_path))}/06_models is being written by `.*` \(process {os.getpid()} on .*, for \d s\)"
    for _ in range(2):
        with pytest.raises(FashionDGMError, match=owner):
            begun(tmp_path)
    begun(tmp_path / "elsewhere")
    getattr(first, end)()
    second = begun(tmp_path)
    second.before_pipeline_run(pipeline=PIPELINE, catalog=catalog_in(tmp_path))  # as in a notebook, after Ctrl-C


def test_a_refused_command_keeps_no_lock(tmp_path: Path) -> None:
    only_metrics = Pipeline([Node(lambda metrics: metrics, "other", "gan_metrics", name="one")])
    held = begun(tmp_path, only_metrics)
    with pytest.raises(FashionDGMError, match="07_model_output is being written"):
        begun(tmp_path)
    held.after_pipeline_run()
    begun(tmp_path)


def test_a_command_that_only_reads_is_not_held_up(tmp_path: Path) -> None:
    first = begun(tmp_path)
    begun(tmp_path, Pipeline([Node(lambda metrics: metrics, "gan_metrics", "in_memory", name="one")]))
    first.after_pipeline_run()


def test_the_lock_of_a_killed_command_is_none(tmp_path: Path) -> None:
    ready, done = os.pipe()
    if not (child := os.fork()):
        # Whatever happens, the child ends here, and not as a second run of the tests.
        try:
            held = begun(tmp_path)  # noqa: F841
            os.write(done, b".")
            time.sleep(60)
        finally:
            os._exit(1)
    os.close(done)
    assert os.read(ready, 1) == b"."
    with pytest.raises(FashionDGMError, match=f"process {child} on"):
        begun(tmp_path)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    begun(tmp_path)


@pytest.mark.parametrize("call", ["mkdir", "open"])
def test_a_folder_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*args: Any, **options: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, call, denied)
    with pytest.raises(FashionDGMError, match=r"^cannot write to .*06_models: Permission denied\. Make it writable"):
        begun(tmp_path)
