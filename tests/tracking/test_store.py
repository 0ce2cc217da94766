"""What is wrong with a database is one sentence, and a copied project records in itself."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.tracking import calls
from fashion_dgm.tracking.outbox import Doubtful, Refused, Unreachable
from fashion_dgm.tracking.store import Store

TURN_OFF = "`enabled: false` in a tracking.yml turns tracking off"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Path:
    """A folder of records with one run; not to be changed."""
    folder = tmp_path_factory.mktemp("original") / "09_tracking"
    folder.mkdir()
    shutil.copy(empty_database, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        store = Store(folder, "fashion-dgm")
        run = store.client.create_run(store.experiment_id)
        (folder.parent / "figure.txt").write_text("original")
        store.client.log_artifact(run.info.run_id, str(folder.parent / "figure.txt"))
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of it."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    before = mlflow.get_tracking_uri()
    yield Path(shutil.copytree(made, tmp_path / "copy" / "09_tracking"))
    mlflow.set_tracking_uri(before)


def complaint(folder: Path) -> str:
    with pytest.raises(FashionDGMError) as error:
        _ = Store(folder, "fashion-dgm").experiment_id
    text = str(error.value)
    assert "\n" not in text and text.endswith(TURN_OFF) and str(folder) in text
    return text


def overwrite(start: int, database: Path) -> None:
    with database.open("r+b") as file:
        file.seek(start)
        file.write(b"\xff" * 5000)


def set_revision(revision: str, database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        *((partial(overwrite, start), "is damaged") for start in (0, 20, 4096, 40_000)),
        (lambda database: os.truncate(database, 30_000), "is damaged"),
        (lambda database: database.write_text("no database " * 100), "is damaged (file is not a database)"),
        *(
            (partial(set_revision, name), "is of another version of MLflow")
            for name in ("ffffffffffff", "451aebb31d03")
        ),
    ],
)
def test_a_damaged_or_other_database(folder: Path, damage: Callable[[Path], object], expected: str) -> None:
    damage(folder / "mlflow.db")
    assert expected in complaint(folder)


def test_a_locked_database(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fashion_dgm.tracking.store.LOCKED", 0.1)
    with contextlib.closing(sqlite3.connect(folder / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "is locked by another program" in complaint(folder)


def test_a_read_only_database(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect
    # No mode of a file keeps root out.
    monkeypatch.setattr(sqlite3, "connect", lambda path, **given: connect(f"file:{path}?mode=ro", uri=True, **given))
    assert "cannot be written to (attempt to write a readonly database)" in complaint(folder)


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "data").write_text("a file")
    assert "cannot write MLflow's records" in complaint(tmp_path / "data" / "09_tracking")


def test_a_copied_project_writes_its_artifacts_to_itself(made: Path, folder: Path, tmp_path: Path) -> None:
    before = sorted(path for path in made.rglob("*") if "artifacts" in path.parts)
    store = Store(folder, "fashion-dgm")
    (earlier,) = store.client.search_runs([store.experiment_id])
    # Its own copy of what an earlier run has left.
    assert earlier.info.artifact_uri == (folder / "artifacts" / earlier.info.run_id / "artifacts").as_uri()
    assert (folder / "artifacts" / earlier.info.run_id / "artifacts" / "figure.txt").read_text() == "original"
    (tmp_path / "new.txt").write_text("copy")
    run = store.client.create_run(store.experiment_id)
    store.client.log_artifact(run.info.run_id, str(tmp_path / "new.txt"))
    assert (folder / "artifacts" / run.info.run_id / "artifacts" / "new.txt").read_text() == "copy"
    assert sorted(path for path in made.rglob("*") if "artifacts" in path.parts) == before


def test_a_run_that_was_made_by_a_call_that_failed_then_still_gets_its_parameters(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(folder, "fashion-dgm")
    log_batch = mlflow.MlflowClient.log_batch

    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError

    for broken in (True, False, False):
        monkeypatch.setattr(mlflow.MlflowClient, "log_batch", unreachable if broken else log_batch)
        with pytest.raises(ConnectionError) if broken else contextlib.nullcontext():
            calls.start_run(store, "key", "train_gan", 0, {}, {"epochs": 5}, None)
    assert store.client.get_run(store.run_id("key")).data.params == {"epochs": "5"}


@pytest.mark.parametrize("name", ["what?", "it's", "50%41 #1 é"])
def test_signs_in_the_path_put_the_database_nowhere_else(made: Path, folder: Path, name: str) -> None:
    place = folder.parent / name
    folder = Path(shutil.copytree(made, place / "09_tracking"))
    elsewhere = (folder.parents[1], Path.cwd())
    before = [sorted(path.iterdir()) for path in elsewhere]
    store = Store(folder, "fashion-dgm")
    assert len(store.client.search_runs([store.experiment_id])) == 1
    run = store.client.create_run(store.experiment_id)
    (folder / "figure.txt").write_text("here")
    store.client.log_artifact(run.info.run_id, str(folder / "figure.txt"))
    assert (folder / "artifacts" / run.info.run_id / "artifacts" / "figure.txt").read_text() == "here"
    assert [sorted(path.iterdir()) for path in elsewhere] == before


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (MlflowException("a bug of the server's"), Doubtful),
        (MlflowException("database is locked", TEMPORARILY_UNAVAILABLE), Unreachable),
        (MlflowException.invalid_parameter_value("too long"), Refused),
        (ConnectionRefusedError(111, "Connection refused"), Unreachable),
        (sqlite3.OperationalError("database is locked"), Unreachable),
    ],
)
def test_errors_that_pass_are_told_from_those_that_stay(
    folder: Path, error: Exception, meaning: type[Exception]
) -> None:
    with pytest.raises(meaning) as found, Store(folder, "fashion-dgm").errors():
        raise error
    assert type(found.value) is meaning


def test_passwords_are_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@localhost:1/mlflow")
    store = Store(tmp_path, "fashion-dgm")
    assert store.destination == "http://localhost:1/mlflow fashion-dgm"
    with pytest.raises(Unreachable) as error, store.errors():
        raise ConnectionRefusedError(111, "Connection refused")
    assert str(error.value) == "MLflow at http://localhost:1/mlflow fails ([Errno 111] Connection refused)"
