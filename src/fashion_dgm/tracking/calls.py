"""What is sent to MLflow: functions that the sending thread calls, possibly days after the session that asked for it.

Each may be called again after a failure in its middle, so it repeats nothing that MLflow already has.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fashion_dgm.tracking.store import KEY, Store

__all__ = ["CALLS"]

Value = Sequence[Any]
"""Name, number, time in milliseconds, step."""

# The monitors of this process, by run.
_monitors: dict[str, Any] = {}


def start_run(
    store: Store, run: str, name: str, time: int, tags: Mapping[str, str], params: Mapping[str, Any], parent: str | None
) -> None:
    """Makes a run, or goes on with the one that training began in an earlier session; of a finished one, links to it."""
    from mlflow.entities import Param
    from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

    client, found = store.client, store.find(run)
    above = {MLFLOW_PARENT_RUN_ID: store.run_id(parent)} if parent else {}
    if found is not None and found.info.status == "FINISHED":
        if parent:
            client.set_tag(store.run_id(parent), f"reused.{name}", found.info.run_id)
        return
    if found is None:
        found = client.create_run(store.experiment_id, time, {**tags, **above, KEY: run}, name)
    else:
        client.update_run(found.info.run_id, "RUNNING")
        for tag, value in above.items():
            client.set_tag(found.info.run_id, tag, value)
    # Of a run that was made by a call that failed then, too; the same parameters may be logged again.
    client.log_batch(found.info.run_id, params=[Param(name, str(value)) for name, value in params.items()])


def watch(store: Store, run: str, process: int) -> None:
    """Records the machine's load and memory until the run ends, if the process that asked for it is this one."""
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

    if process == os.getpid():
        _monitors[run] = SystemMetricsMonitor(store.run_id(run), resume_logging=True)
        _monitors[run].start()


def end_run(store: Store, run: str, status: str, time: int, latest_of: str | None = None) -> None:
    """Ends a run; `latest_of` names its node if it is the latest, for links to charts of the latest runs."""
    client, found = store.client, store.find(run)
    # Nothing was sent of a session that was killed before its run began.
    if found is None:
        return
    run_id = found.info.run_id
    if run in _monitors:
        _monitors.pop(run).finish()
    if found.info.status == "RUNNING":
        client.set_terminated(run_id, status, time)
    if latest_of is not None:
        wanted = f"tags.node = '{latest_of}' AND tags.latest = 'true'"
        for other in client.search_runs([store.experiment_id], wanted):
            client.set_tag(other.info.run_id, "latest", "false")
        client.set_tag(run_id, "latest", "true")


def share_view(store: Store, run: str, charts: Mapping[str, Sequence[str]]) -> None:
    """Sets the view that `make ui` links to, with samples after the last epoch that the latest runs share."""
    from fashion_dgm.tracking.view import FILTER, TAG, shared_view

    client = store.client
    names = [
        [item.path for item in client.list_artifacts(found.info.run_id, "images")]
        for found in client.search_runs([store.experiment_id], FILTER)
    ]
    epochs = [
        {int(match[1]) for name in each if (match := re.search(r"/samples\Wstep\W(\d+)", name))} for each in names
    ]
    common = set.intersection(*filter(None, epochs)) if any(epochs) else set()
    client.set_experiment_tag(store.experiment_id, TAG, shared_view(charts, max(common, default=1)))


def log(
    store: Store, run: str, metrics: Sequence[Value] = (), tags: Mapping[str, str] | None = None, again: bool = False
) -> None:
    """Logs metrics and tags; `again` leaves out steps that the run has, for epochs that were reported before."""
    _log_metrics(store, store.run_id(run), metrics, tags or {}, again)


def log_input(store: Store, run: str, dataset: Mapping[str, str], context: str, sha256: str) -> None:
    """Logs a data set; the tag has all digits of its hash."""
    from mlflow.entities import Dataset, DatasetInput, InputTag
    from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

    tags = [InputTag(MLFLOW_DATASET_CONTEXT, context), InputTag("sha256", sha256)]
    store.client.log_inputs(store.run_id(run), [DatasetInput(Dataset(**dataset), tags)])


def log_file(store: Store, run: str, path: Path, folder: str) -> None:
    """Logs a file as an artifact."""
    store.client.log_artifact(store.run_id(run), str(path), folder)


def register_last(store: Store, run: str, name: str, path: Path, tags: Mapping[str, str]) -> None:
    """Registers the model that a training ended with."""
    from fashion_dgm.catalog.registry import register
    from fashion_dgm.checkpoint import load_checkpoint

    version = register(name, load_checkpoint(path), "last", tags, store.run_id(run))
    store.client.set_tag(store.run_id(run), "model", f"models:/{name}/{version.version}")


def log_where_trained(store: Store, run: str, weights_sha256: str, metrics: Sequence[Value], prefix: str) -> None:
    """Logs metrics in the run that trained the model; of one whose training is not recorded, in `run` with a prefix."""
    trained = _run_that_ended_with(store, weights_sha256)
    named = metrics if trained else [(f"{prefix}/{name}", *rest) for name, *rest in metrics]
    _log_metrics(store, trained or store.run_id(run), named, again=trained is not None)


def log_samples(store: Store, run: str, weights_sha256: str, model: str, images: Mapping[str, Path]) -> None:
    """Logs an image for each epoch in the run that trained the model, or in `run` under the model's name."""
    from PIL import Image

    trained = _run_that_ended_with(store, weights_sha256)
    target, key = (trained, "samples") if trained else (store.run_id(run), f"{model}/samples")
    there = [item.path for item in store.client.list_artifacts(target, "images")]
    for epoch, path in images.items():
        # MLflow puts signs of its own between the words of a name, slashes among them.
        if not any(re.search(rf"/{re.sub('/', '.', key)}\Wstep\W{epoch}\W", name) for name in there):
            with Image.open(path) as image:
                store.client.log_image(target, image, key=key, step=int(epoch), synchronous=True)


def log_distances(
    store: Store,
    run: str,
    model: str,
    weights: Mapping[str, Mapping[str, Any]],
    best: Sequence[Mapping[str, Any]],
    curves: Sequence[Mapping[str, Any]],
) -> None:
    """Logs the distances of a model's snapshots in the run that trained it, and in its registered generators.

    Distances that an earlier evaluation has logged stay. The generator of the best epoch is registered if the last one is.

    Arguments:
        weights: `last` and `best`: a checkpoint each, with its `epoch`, `sha256` and `path`.
        best: for each feature space, its `space`, the `tags` and `metrics` of the best epoch for the run, and the tags of
            its `version` in the registry.
        curves: for each feature space and split, its `space`, `split`, `digest` and the `metrics` by epoch.
    """
    from mlflow.entities import Metric, RunTag

    client, trained = store.client, _run_that_ended_with(store, weights["last"]["sha256"])
    if trained is None:
        return
    ids = _register_best(model, weights, best[-1]["version"], trained)
    logged = client.get_run(trained).data.metrics
    for row in best:
        if any(name.startswith(f"{row['space']}_distance_to_") for name in logged):
            continue
        metrics = [Metric(name, value, time, step) for name, value, time, step in row["metrics"]]
        for curve in (curve for curve in curves if curve["space"] == row["space"]):
            data = {"dataset_name": curve["split"], "dataset_digest": curve["digest"]}
            metrics += [
                Metric(name, value, time, step, model_id=ids.get(step), **data)
                for name, value, time, step in curve["metrics"]
            ]
        tags = [RunTag(name, str(value)) for name, value in row["tags"].items()]
        tags.append(RunTag(f"{row['space']}_distances_by_run", store.run_id(run)))
        client.log_batch(trained, metrics, tags=tags)


CALLS = {
    function.__name__: function
    for function in (
        start_run,
        watch,
        end_run,
        share_view,
        log,
        log_input,
        log_file,
        register_last,
        log_where_trained,
        log_samples,
        log_distances,
    )
}
"""By name, what may wait in an outbox."""


def _log_metrics(
    store: Store, run_id: str, metrics: Sequence[Value], tags: Mapping[str, str] | None = None, again: bool = False
) -> None:
    from mlflow.entities import Metric, RunTag

    client = store.client
    named = [Metric(name, value, time, step) for name, value, time, step in metrics]
    if again and named:
        there = {point.step for point in client.get_metric_history(run_id, named[0].key)}
        named = [metric for metric in named if metric.step not in there]
    client.log_batch(run_id, named, tags=[RunTag(name, value) for name, value in (tags or {}).items()])


def _run_that_ended_with(store: Store, sha256: str) -> str | None:
    """The newest run that ended with these weights, or None: an evaluation may come days after the training."""
    found = store.client.search_runs([store.experiment_id], f"tags.weights_sha256 = '{sha256}'", max_results=1)
    return found[0].info.run_id if found else None


def _register_best(
    model: str, weights: Mapping[str, Mapping[str, Any]], tags: Mapping[str, object], run_id: str
) -> dict[int, str]:
    """Registers the best generator if the last one is; returns the ids of both, by epoch."""
    from fashion_dgm.catalog.registry import logged_model, register, registered
    from fashion_dgm.checkpoint import load_checkpoint

    name, last, best = f"{model}_generator", weights["last"], weights["best"]
    version = registered(name, load_checkpoint(last["path"]))
    if version is None:
        return {}
    found = register(name, load_checkpoint(best["path"]), "best", {**tags, "trained_by_run": run_id}, run_id)
    return {last["epoch"]: logged_model(version), best["epoch"]: logged_model(found)}
