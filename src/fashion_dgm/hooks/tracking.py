"""The record of a run in MLflow."""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl
from pydantic import BaseModel

from fashion_dgm.config import TrackingConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.nested import flatten
from fashion_dgm.pipelines.tracking import DIGEST, leave_out, side_channel
from fashion_dgm.provenance import ORIGIN

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

    from fashion_dgm.data.images import ImageSet

__all__ = ["MLflowHooks"]


class MLflowHooks:
    """One parent run for a `kedro run`, one child run for each training node (tag `training`).

    MLflow is a side channel: nodes read and write the catalog alone. A child stays open until the node's last output is
    saved, so that its files are logged with it.
    """

    def __init__(self) -> None:
        self._config: TrackingConfig | None = None
        self._project = Path()
        self._env = ""
        self._catalog: DataCatalog | None = None
        self._unsaved: set[str] = set()
        self._child = False

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Reads `tracking.yml`."""
        self._config = TrackingConfig(**context.config_loader["tracking"])
        self._project, self._env = Path(context.project_path), context.env or "local"
        leave_out(self._config.curves.left_out)

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Opens the parent run."""
        assert self._config is not None
        if not self._config.enabled:
            return
        import mlflow
        from mlflow.exceptions import MlflowException

        # Kedro gives them in no order.
        names = sorted(run_params.get("pipeline_names") or ["__default__"])
        try:
            self._connect(self._config)
            shown = "all" if names == ["__default__"] else ", ".join(names)
            mlflow.start_run(run_name=f"{self._env}: {shown}")
        except MlflowException as error:
            raise FashionDGMError(
                f"MLflow cannot record at {mlflow.get_tracking_uri()}: {error}\nStart its server, or turn tracking off by "
                "`enabled: false` in a tracking.yml"
            ) from error
        self._catalog = catalog
        self._describe_run(names, run_params.get("runtime_params") or {})

    @hook_impl
    def before_node_run(self, node: Node, inputs: dict[str, Any]) -> None:
        """Opens the child run of a training node and logs what it trains with."""
        if self._catalog is not None and "training" in node.tags:
            self._open_child(node, inputs)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Logs the file, the numbers of a metrics file, and a model; closes the child run with its node's last output."""
        if self._catalog is None:
            return
        self._log_saved(dataset_name, data)
        self._unsaved.discard(dataset_name)
        if self._child and not self._unsaved:
            self._end_child("FINISHED")

    @hook_impl
    def on_node_error(self, error: Exception) -> None:
        """Marks the child run as failed, or as killed where the user asked for it."""
        if self._child:
            self._end_child(_status(error))

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Closes the parent run."""
        self.close("FINISHED")

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Marks what is still open as failed."""
        self.close(_status(error))

    def close(self, status: str) -> None:
        """Ends whatever run is open with `status`, one of MLflow's run states."""
        if self._catalog is None:
            return
        if self._child:
            self._end_child(status)
        self._end_run(status)
        self._catalog = None

    @side_channel
    def _describe_run(self, names: list[str], runtime_params: dict[str, Any]) -> None:
        import mlflow

        mlflow.set_tags({"env": self._env, "pipelines": ", ".join(names), **_commit(self._project)})
        mlflow.log_params(flatten(runtime_params))

    @side_channel
    def _open_child(self, node: Node, inputs: dict[str, Any]) -> None:
        import mlflow

        from fashion_dgm.data.images import ImageSet
        from fashion_dgm.training.device import resolve_device

        mlflow.start_run(run_name=node.short_name, nested=True)
        self._child, self._unsaved = True, set(node.outputs)
        blocks = {name: value for name, value in inputs.items() if name.startswith("params:")}
        params: dict[str, Any] = {}
        for name, value in blocks.items():
            if isinstance(value, BaseModel):
                # with several blocks, names alone are ambiguous.
                prefix = f"{name.removeprefix('params:')}." if len(blocks) > 1 else ""
                params |= flatten(value.model_dump(mode="json"), prefix)
        sets = {name: value for name, value in inputs.items() if isinstance(value, ImageSet)}
        hashes = {name: value.sha256 for name, value in sets.items()}
        mlflow.log_params(params | {f"{name}_sha256": sha256 for name, sha256 in hashes.items()})
        mlflow.set_tags({"env": self._env, "node": node.short_name, **_commit(self._project)})
        assert self._config is not None
        if colour := self._config.colours.get(node.short_name):
            mlflow.set_tag("mlflow.runColor", colour)
        devices = [value for name, value in params.items() if name.rpartition(".")[2] == "device"]
        if devices:
            mlflow.set_tag("device", _device_name(resolve_device(devices[-1])))
        for name, images in sets.items():
            self._log_input(name, images, hashes[name])

    def _log_input(self, name: str, images: ImageSet, sha256: str) -> None:
        import mlflow
        from mlflow.data.numpy_dataset import from_numpy
        from mlflow.data.sources import LocalArtifactDatasetSource  # type: ignore[attr-defined]

        assert self._catalog is not None
        source = LocalArtifactDatasetSource(str(self._catalog.get(name)._describe()["filepath"]))  # type: ignore[union-attr]
        # The tag has all digits.
        data = from_numpy(images.images, source, images.labels, images.name, sha256[:DIGEST])
        mlflow.log_input(data, context=name, tags={"sha256": sha256})

    @side_channel
    def _log_saved(self, name: str, data: Any) -> None:
        import mlflow

        from fashion_dgm.catalog.registry import is_registrable, register

        assert self._config is not None
        assert self._catalog is not None
        dataset = self._catalog.get(name)
        found = getattr(dataset, "local_path", getattr(dataset, "_filepath", None))
        path = Path(found or "")
        small = path.is_file() and path.stat().st_size <= self._config.artifact_megabytes * 2**20
        if small:
            mlflow.log_artifact(str(path), artifact_path=path.parent.name)
        if name.endswith("_metrics") and isinstance(data, Mapping):
            # Of both directions of OOD detection in one run, neither may overwrite the other.
            # Charts show groups by what stands before a slash, the others last: a child's are all in one.
            prefix = "" if self._child else "final/mnist/" if name.startswith("mnist_") else "final/"
            shown = _shown(data, self._config.final_metrics, name)
            mlflow.log_metrics({f"{prefix}{key}": value for key, value in shown.items()})
            if data.get(ORIGIN, {}).get("mismatches"):
                mlflow.set_tag(f"data_mismatch.{name}", "; ".join(data[ORIGIN]["mismatches"]))
        if self._child and is_registrable(data):
            mlflow.set_tag("weights_sha256", data.sha256)
            if small:
                version = register(name, data, "last", {"env": self._env})
                mlflow.set_tag("model", f"models:/{name}/{version.version}")

    @side_channel
    def _mark_latest(self) -> None:
        """Tags the child run as the latest of its node, and no other, for links to charts of the latest runs."""
        import mlflow

        client, run = mlflow.MlflowClient(), mlflow.active_run()
        assert run is not None
        node = client.get_run(run.info.run_id).data.tags["node"]
        wanted = f"tags.node = '{node}' AND tags.latest = 'true'"
        for other in client.search_runs([run.info.experiment_id], wanted):
            client.set_tag(other.info.run_id, "latest", "false")
        mlflow.set_tag("latest", "true")

    @side_channel
    def _end_run(self, status: str) -> None:
        import mlflow

        mlflow.end_run(status)

    def _end_child(self, status: str) -> None:
        if status == "FINISHED":
            self._mark_latest()
        self._end_run(status)
        self._child, self._unsaved = False, set()

    def _connect(self, config: TrackingConfig) -> None:
        import mlflow
        from filelock import FileLock

        folder = self._project / config.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FashionDGMError(f"cannot write MLflow's records to {folder}: {error.strerror}") from error
        # MLflow says at INFO how it migrates its database, a screenful at the first run.
        logging.getLogger("alembic").setLevel(logging.WARNING)
        ours = f"sqlite:///{folder / 'mlflow.db'}"
        # MLflow itself sets the variable to the address given here, so in a second session it may be ours.
        uri = os.environ.get("MLFLOW_TRACKING_URI") or ours
        mlflow.set_tracking_uri(uri)
        # Of several sessions that start together, one makes the database.
        with FileLock(folder / "mlflow.lock"):
            if mlflow.get_experiment_by_name(config.experiment) is None:
                mlflow.create_experiment(
                    config.experiment,
                    (folder / "artifacts").as_uri() if uri == ours else None,
                    # Without it MLflow's pages open on language models.
                    tags={"mlflow.experimentKind": "custom_model_development"},
                )
        mlflow.set_experiment(config.experiment)
        if config.system_metrics:
            mlflow.enable_system_metrics_logging()


def _shown(metrics: Mapping[str, Any], patterns: Mapping[str, Iterable[str]], name: str) -> dict[str, float]:
    """Returns the numbers of a metrics file that the first pattern of its dataset's name asks for, by dotted name."""
    wanted = next((names for pattern, names in patterns.items() if fnmatchcase(name, pattern)), ())
    numbers = {key: value for key, value in flatten(metrics).items() if isinstance(value, int | float)}
    return {
        key: float(value)
        for key, value in numbers.items()
        if not isinstance(value, bool) and any(fnmatchcase(key, pattern) for pattern in wanted)
    }


def _status(error: Exception) -> str:
    from fashion_dgm.training.interruption import Interrupted

    return "KILLED" if isinstance(error, Interrupted) else "FAILED"


def _commit(project: Path) -> dict[str, str]:
    """The commit the code is at, marked where the working tree differs from it; nothing outside a repository."""
    try:
        git = ["git", "-C", str(project)]
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"git_commit": commit, "git_clean": str(not changed)}


def _device_name(device: Any) -> str:
    import torch

    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)
