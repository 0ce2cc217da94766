"""A real server that is killed and comes back, or does not: training goes on, and every record arrives."""

import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import mlflow
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node

from fashion_dgm.config import TrackingConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.hooks import MLflowHooks
from fashion_dgm.pipelines.tracking import log_epoch
from fashion_dgm.tracking import calls, outbox, store
from fashion_dgm.tracking.recorder import Recorder, send_what_waits, side_channel
from tests.conftest import made_up_images
from tests.servers import free_port, start

CONFIG = TrackingConfig(
    enabled=True,
    folder="data/09_tracking",
    experiment="fashion-dgm",
    artifact_megabytes=25,
    system_metrics=False,
    final_metrics={},
    curves={"left_out": ()},
    colours={},
    charts={"Losses": ("loss",)},
)


class Server:
    """`mlflow server` on this machine, at one address."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        stores = ("--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", f"{folder}/a")
        self.command = ("mlflow", "server", *stores, "--workers", "1", "--port", str(self.port))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = start(self.port, *self.command)

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def runs(self) -> list[tuple[str, list[int]]]:
        """The status of each run and the steps of its loss, the oldest run first."""
        client = mlflow.MlflowClient(self.address)
        runs = client.search_runs([client.get_experiment_by_name("fashion-dgm").experiment_id], order_by=["start_time"])
        losses = [client.get_metric_history(run.info.run_id, "loss") for run in runs]
        return [(run.info.status, [point.step for point in loss]) for run, loss in zip(runs, losses, strict=True)]


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Short pauses, and MLflow's settings as they were."""
    monkeypatch.setattr(outbox, "DELAYS", (0.2, 0.5))
    for name in ("MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    before = mlflow.get_tracking_uri()
    yield
    mlflow.set_tracking_uri(before)


@pytest.fixture
def server(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    (tmp_path / "server").mkdir()
    shutil.copy(empty_database, tmp_path / "server")
    server = Server(tmp_path / "server")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.address)
    yield server
    server.kill()


def train(epochs: range) -> float:
    """Returns the seconds that logging took."""
    started = time.monotonic()
    for epoch in epochs:
        log_epoch({"epoch": epoch, "loss": 1 / epoch}, 0.1)
    return time.monotonic() - started


@pytest.mark.slow
def test_a_server_that_is_killed_and_comes_back_misses_nothing(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.start()
    recorder = Recorder(CONFIG, tmp_path)
    recorder.start("train_gan", {}, {})
    train(range(1, 11))
    server.kill()
    assert train(range(11, 21)) < 2
    time.sleep(1)
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1
    assert f"MLflow at {server.address} fails (" in caplog.text
    started = time.monotonic()
    recorder.end("FINISHED")
    recorder.close()
    # Nor is it back in the next session.
    recorder = Recorder(CONFIG, tmp_path)
    recorder.start("train_wgan", {}, {})
    train(range(1, 6))
    recorder.end("FINISHED")
    recorder.close()
    assert time.monotonic() - started < 15
    with pytest.raises(FashionDGMError, match=r"fails \(.*\); the records stay in .*outbox$"):
        send_what_waits(CONFIG, tmp_path)
    server.start()
    sent, elsewhere = send_what_waits(CONFIG, tmp_path)
    assert sent >= 20 and elsewhere == 0
    assert server.runs() == [("FINISHED", list(range(1, 21))), ("FINISHED", list(range(1, 6)))]
    assert send_what_waits(CONFIG, tmp_path) == (0, 0)


def test_a_silent_server_delays_the_start_by_no_more_than_five_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that accepts connections and never answers, as behind some firewalls."""
    monkeypatch.setattr("fashion_dgm.tracking.recorder.PATIENCE", 0.5)
    monkeypatch.setitem(store.HTTP, "MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()
        recorder = Recorder(CONFIG, tmp_path)
        recorder.start("train_gan", {}, {})
        assert train(range(1, 50)) < 2
        assert time.monotonic() - started < 5
        recorder.end("FINISHED")
        recorder.close()
        assert time.monotonic() - started < 10
    assert len(list(tmp_path.glob("data/09_tracking/outbox/*/*/call.json"))) == 53


def test_nothing_is_logged_where_no_run_is_open(tmp_path: Path) -> None:
    log_epoch({"epoch": 1, "loss": 0.5}, 1.0)


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """A run is open, and no server answers."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    started = Recorder(CONFIG, tmp_path)
    started.start("train_gan", {}, {})
    return started


def test_a_full_disk_is_a_warning(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(outbox.Outbox, "put", full)
    log_epoch({"epoch": 1, "loss": 0.5}, 1.0)
    recorder.close()
    assert re.search(r"not recorded in MLflow \(log_epoch\): .*No space left", caplog.text)


def test_a_value_that_cannot_be_recorded_is_a_warning_with_the_kind_of_the_error(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @side_channel
    def log_oddity(value: object) -> None:
        recorder.put(calls.log, tags={"odd": value})

    log_oddity({1, 2})
    assert re.search(r"not recorded in MLflow \(log_oddity\): AttributeError\(.*'item'", caplog.text)

    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(outbox.Outbox, "put", interrupted)
    with pytest.raises(KeyboardInterrupt):
        log_oddity("is")
    recorder.close()


def test_images_that_lie_in_no_file_are_the_only_ones_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As of a node that is run on a catalog in memory, in a notebook."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    images, hooks = made_up_images(4, seed=0), MLflowHooks()
    node = Node(lambda train: train, "train", "model", name="train_gan", tags="training")
    loader = {"tracking": CONFIG.model_dump()}
    hooks.after_context_created(SimpleNamespace(config_loader=loader, project_path=tmp_path, env="test"))
    hooks.before_pipeline_run({}, DataCatalog({"train": MemoryDataset(images)}))
    hooks.before_node_run(node, {"train": images})
    log_epoch({"epoch": 1, "loss": 0.5}, 1.0)
    hooks.close("FINISHED")
    assert re.search(r"not recorded in MLflow \(log_input\): KeyError\('filepath'\)", caplog.text)
    names = [
        json.loads(path.read_text())["name"] for path in sorted(tmp_path.glob("data/09_tracking/outbox/*/*/call.json"))
    ]
    assert names == ["start_run", "share_view", "start_run", "log", "end_run", "share_view", "end_run"]
