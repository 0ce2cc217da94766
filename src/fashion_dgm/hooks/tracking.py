"""The record of a run in MLflow."""

import subprocess
import time
import uuid
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Node
from pydantic import BaseModel

from fashion_dgm.config import TrackingConfig
from fashion_dgm.errors import Interrupted
from fashion_dgm.nested import flatten
from fashion_dgm.pipelines.tracking import DIGEST, leave_out
from fashion_dgm.provenance import ORIGIN
from fashion_dgm.tracking import calls
from fashion_dgm.tracking.recorder import Recorder, current, milliseconds, side_channel

if TYPE_CHECKING:
    from fashion_dgm.data.images import ImageSet

__all__ = ["MLflowHooks"]


class MLflowHooks:
    """One parent run for a `kedro run`, one child run for each training node (tag `training`).

    MLflow is a side channel: nodes read and write the catalog alone. A child stays open until the node's last output is
    saved, so that its files are logged with it. Where no run is open, what is a side channel does nothing.
    """

    _config: TrackingConfig
    _project: Path
    _env: str
    _catalog: DataCatalog
    _recorder: Recorder

    def __init__(self) -> None:
        self._node: Node | None = None
        self._unsaved: set[str] = set()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Reads `tracking.yml`."""
        from fashion_dgm.cli.configuration import typed

        self._config = typed(TrackingConfig, context.config_loader["tracking"], "tracking")
        self._project, self._env = Path(context.project_path), context.env or "local"
        leave_out(self._config.curves.left_out)

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], catalog: DataCatalog) -> None:
        """Opens the parent run."""
        if not self._config.enabled:
            return
        self._recorder, self._catalog = Recorder(self._config, self._project), catalog
        names = pipelines_of(run_params)
        shown = "all" if names == ["__default__"] else ", ".join(names)
        tags = {"env": self._env, "pipelines": ", ".join(names), **_commit(self._project)}
        self._start(f"{self._env}: {shown}", tags, flatten(run_params.get("runtime_params") or {}))

    @hook_impl
    def before_node_run(self, node: Node, inputs: dict[str, Any]) -> None:
        """Opens the child run of a training node and logs what it trains with."""
        if "training" in node.tags:
            self._open_child(node, inputs)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Logs the file, the numbers of a metrics file, and a model; closes the child run with its node's last output."""
        self._log_saved(dataset_name, data)
        self._unsaved.discard(dataset_name)
        if self._node and not self._unsaved:
            self._end_child("FINISHED")

    @hook_impl
    def on_node_error(self, error: Exception) -> None:
        """Marks the child run as failed, or as killed where the user asked for it."""
        if self._node:
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
        """Ends whatever run is open with `status`, one of MLflow's run states, and sends what was recorded."""
        if current() is not None:
            if self._node:
                self._end_child(status)
            self._end(status)
            self._recorder.close()

    @side_channel
    def _start(self, name: str, tags: dict[str, str], params: dict[str, Any], key: str | None = None) -> None:
        self._recorder.start(name, tags, params, key)
        if self._config.system_metrics:
            self._recorder.watch()

    @side_channel
    def _end(self, status: str, latest_of: str | None = None) -> None:
        self._recorder.end(status, latest_of)

    @side_channel
    def _open_child(self, node: Node, inputs: dict[str, Any]) -> None:
        from fashion_dgm.data.images import ImageSet  # late: numpy would slow every command
        from fashion_dgm.tracking.state import key_of, opened_since
        from fashion_dgm.training.device import resolve_device
        from fashion_dgm.training.store import StateStore

        blocks = {name: value for name, value in inputs.items() if name.startswith("params:")}
        params: dict[str, Any] = {}
        for name, value in blocks.items():
            if isinstance(value, BaseModel):
                # with several blocks, names alone are ambiguous.
                prefix = f"{name.removeprefix('params:')}." if len(blocks) > 1 else ""
                params |= flatten(value.model_dump(mode="json"), prefix)
        sets = {name: value for name, value in inputs.items() if isinstance(value, ImageSet)}
        hashes = {name: value.sha256 for name, value in sets.items()}
        params |= {f"{name}_sha256": sha256 for name, sha256 in hashes.items()}
        tags = {"env": self._env, "node": node.short_name, **_commit(self._project)}
        if colour := self._config.colours.get(node.short_name):
            tags["mlflow.runColor"] = colour
        if devices := [value for name, value in params.items() if name.rpartition(".")[2] == "device"]:
            tags["device"] = _device_name(resolve_device(devices[-1]))
        store = next((value for value in inputs.values() if isinstance(value, StateStore)), None)
        token, began = uuid.uuid4().hex, time.time_ns()

        def key() -> str:
            return key_of(opened_since(store, began) if store else None, token, params)

        def start() -> None:
            self._start(node.short_name, tags, params, key())
            for name, images in sets.items():
                self._log_input(name, images, hashes[name])

        self._node, self._unsaved = node, set(node.outputs)
        if store is not None and any(store.folder.glob("*/fingerprint.json")):
            # Perhaps it goes on from there: its first epoch decides whether this is an earlier run.
            self._recorder.before_first_call = start
        else:
            start()
            # Once there is a state, the run's token is noted with it.
            self._recorder.before_first_call = key

    @side_channel
    def _log_input(self, name: str, images: "ImageSet", sha256: str) -> None:
        from mlflow.data.numpy_dataset import from_numpy
        from mlflow.data.sources import LocalArtifactDatasetSource  # type: ignore[attr-defined]

        source = LocalArtifactDatasetSource(str(self._catalog[name]._describe()["filepath"]))
        data = from_numpy(images.images, source, images.labels, images.name, sha256[:DIGEST])
        dataset = dict(data._to_mlflow_entity())
        self._recorder.put(calls.log_input, dataset=dataset, context=name, sha256=sha256)

    @side_channel
    def _log_saved(self, name: str, data: Any) -> None:
        from fashion_dgm.catalog.registry import is_registrable

        dataset = self._catalog.get(name)
        found = getattr(dataset, "local_path", getattr(dataset, "_filepath", None))
        path = Path(found or "")
        small = path.is_file() and path.stat().st_size <= self._config.artifact_megabytes * 2**20
        if small:
            self._recorder.put(calls.log_file, path=path, folder=path.parent.name)
        if name.endswith("_metrics") and isinstance(data, Mapping):
            # Of both directions of OOD detection in one run, neither may overwrite the other.
            # A child has an epoch's metrics, too, some of which have the names of those of the finished model.
            prefix = "final/mnist/" if not self._node and name.startswith("mnist_") else "final/"
            shown = _shown(data, self._config.final_metrics, name)
            mismatches = data.get(ORIGIN, {}).get("mismatches")
            self._recorder.put(
                calls.log,
                metrics=[(f"{prefix}{key}", value, milliseconds(), 0) for key, value in shown.items()],
                tags={f"data_mismatch.{name}": "; ".join(mismatches)} if mismatches else {},
                again=True,
            )
        if self._node and is_registrable(data):
            self._recorder.put(calls.log, tags={"weights_sha256": data.sha256})
            if small:
                self._recorder.put(calls.register_last, name=name, path=path, tags={"env": self._env})

    def _end_child(self, status: str) -> None:
        assert self._node is not None
        self._end(status, self._node.short_name if status == "FINISHED" else None)
        self._node, self._unsaved = None, set()


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
    return "KILLED" if isinstance(error, Interrupted) else "FAILED"


def pipelines_of(run_params: Mapping[str, Any]) -> list[str]:
    """Returns the pipelines that a run was asked for, sorted; a pipeline is also the namespace of its nodes."""
    return sorted(run_params.get("namespaces") or run_params.get("pipeline_names") or ["__default__"])


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
