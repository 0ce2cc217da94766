"""MLflow's store: where it is, whether it can be written to, and what its errors mean."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.tracking.outbox import Doubtful, Refused, Unreachable

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

__all__ = ["KEY", "LOCAL", "Store", "database_address"]

KEY = "run_key"
"""The tag by which runs are found: their ids are the server's, and not given while it is away."""
LOCAL = "local"

# In seconds. MLflow's own are 120 and seven times more often; repeating is up to the outbox.
HTTP = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
# In seconds, how long another program may keep the database locked.
LOCKED = 5
# Columns with an absolute address of the folder of artifacts.
ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
    ("model_versions", "source"),
)
TURN_OFF = "`enabled: false` in a tracking.yml turns tracking off"


def database_address(path: Path) -> str:
    """Returns MLflow's address of a database file, also where the path has a `?` or an apostrophe."""
    from sqlalchemy import URL

    address = URL.create("sqlite", database=str(path)).render_as_string()
    # With the driver's name MLflow does not make a folder whose name is the quoted path.
    return address if address == f"sqlite:///{path}" else address.replace("sqlite", "sqlite+pysqlite", 1)


class Store:
    """MLflow's store, in a folder of the project or at the address in `MLFLOW_TRACKING_URI`.

    Arguments:
        folder: of the database and of artifacts.
        experiment: its name.
    """

    def __init__(self, folder: Path, experiment: str) -> None:
        self.folder, self.database = folder, folder / "mlflow.db"
        self._own = database_address(self.database)
        # MLflow itself sets the variable to the address given below, so in a second session it may be ours.
        self.address = os.environ.get("MLFLOW_TRACKING_URI") or self._own
        self.is_local = self.address == self._own
        self.destination = f"{LOCAL if self.is_local else _without_password(self.address)} {experiment}"
        self._experiment = experiment
        self._ids: dict[str, str] = {}
        self._experiment_id: str | None = None
        self._connecting = threading.Lock()

    @property
    def client(self) -> MlflowClient:
        """MLflow's client; the errors are those of `experiment_id`."""
        import mlflow

        _ = self.experiment_id  # Which connects.
        return mlflow.MlflowClient()

    @property
    def experiment_id(self) -> str:
        """The id of the experiment, which is made if there is none.

        Raises:
            Unreachable: if the server does not answer.
            Refused: if it answers with an error.
            FashionDGMError: if the database cannot be used.
        """
        with self._connecting:
            if self._experiment_id is None:
                self._experiment_id = self._connected()
        return self._experiment_id

    def answers(self) -> bool:
        """Whether a request that is always right succeeds."""
        try:
            with self.errors():
                self.client.get_experiment(self.experiment_id)
        except (Unreachable, Refused, FashionDGMError):
            return False
        return True

    def find(self, key: str) -> Run | None:
        """Returns the run with this tag, or None."""
        found = self.client.search_runs([self.experiment_id], f"tags.{KEY} = '{key}'", max_results=1)
        if found:
            self._ids[key] = found[0].info.run_id
        return found[0] if found else None

    def run_id(self, key: str) -> str:
        """Returns the id of the run with this tag.

        Raises:
            Refused: if there is none.
        """
        if key not in self._ids and self.find(key) is None:
            raise Refused("its run has been deleted")
        return self._ids[key]

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Raises what MLflow raises as what is worth another try and what is not."""
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except MlflowException as error:
            status = error.get_http_status_code()
            if 400 <= status < 500 and status not in (401, 403, 408, 429):
                raise Refused(_short(error)) from error
            # What is away for a while has a status of its own, such as a database that another program has locked.
            kind = Doubtful if status == 500 else Unreachable
            raise kind(f"MLflow at {_without_password(self.address)} fails ({_short(error)})") from error
        # Those of HTTP are OSError.
        except (SQLAlchemyError, OSError, sqlite3.Error) as error:
            raise Unreachable(f"MLflow at {_without_password(self.address)} fails ({_short(error)})") from error

    def _connected(self) -> str:
        import mlflow
        from filelock import FileLock

        if not self.is_local:
            for name, value in HTTP.items():
                os.environ.setdefault(name, value)
        # MLflow says at INFO how it migrates its database, a screenful at the first run, and logs errors that it raises.
        logging.getLogger("alembic").setLevel(logging.WARNING)
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
        if not self.is_local:
            mlflow.set_tracking_uri(self.address)
            with self.errors():
                return self._found_or_made(None)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # Of several sessions that start together, one makes the database.
            with FileLock(self.folder / "mlflow.lock"):
                self._check_database()
                mlflow.set_tracking_uri(self.address)
                return self._found_or_made((self.folder / "artifacts").as_uri())
        except OSError as error:
            raise FashionDGMError(
                f"cannot write MLflow's records to {self.folder}: {error.strerror or error}; {TURN_OFF}"
            ) from error
        except FashionDGMError:
            raise
        except Exception as error:
            raise FashionDGMError(self._complaint(error)) from error

    def _found_or_made(self, artifacts: str | None) -> str:
        import mlflow

        client = mlflow.MlflowClient()
        found = client.get_experiment_by_name(self._experiment)
        if found is None:
            # Without the tag MLflow's pages open on language models.
            tags = {"mlflow.experimentKind": "custom_model_development"}
            client.create_experiment(self._experiment, artifacts, tags)
        elif artifacts is not None and found.artifact_location != artifacts:
            self._move_artifacts(found.artifact_location, artifacts)
        # For models, whose experiment MLflow takes from here.
        return mlflow.set_experiment(self._experiment).experiment_id

    def _check_database(self) -> None:
        """Raises sqlite3's errors of a database that is damaged, locked or read-only."""
        if not self.database.exists():
            return
        with contextlib.closing(sqlite3.connect(self.database, timeout=LOCKED, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            connection.execute("ROLLBACK")
        if found != "ok":
            raise sqlite3.DatabaseError(found)

    def _move_artifacts(self, old: str, new: str) -> None:
        """Replaces the absolute addresses of a project that was moved or copied, or the copy would write to the original."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=LOCKED)) as connection, connection:
            for table, column in ADDRESSES:
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column} || '/', 1, ?) = ?",
                    (new, len(old) + 1, len(old) + 1, f"{old}/"),
                )

    def _complaint(self, error: Exception) -> str:
        text = _short(error)
        if "locked" in text:
            return f"{self.database} is locked by another program; close that, or wait for it. {TURN_OFF.capitalize()}"
        if "readonly" in text or "unable to open" in text:
            return f"{self.database} cannot be written to ({text}); change its permissions. {TURN_OFF.capitalize()}"
        if "schema" in text or "revision" in text:
            return (
                f"{self.database} is of another version of MLflow than the installed one ({text}); if it is older, "
                f"`mlflow db upgrade {self.address}` changes it, and if it is newer, install that version. "
                f"{TURN_OFF.capitalize()}"
            )
        return (
            f"{self.database} is damaged ({text}); put a copy in its place, or move it away for a new one. "
            f"{TURN_OFF.capitalize()}"
        )


def _short(error: Exception) -> str:
    """The first line of the innermost cause, which states what happened without an address or a command."""
    while isinstance(cause := error.__cause__ or error.__context__ or getattr(error, "orig", None), Exception):
        error = cause
    lines: list[Any] = str(error).strip().splitlines() or [type(error).__name__]
    return str(lines[0])


def _without_password(address: str) -> str:
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
