"""What training and evaluation log to MLflow while they run.

MLflow is a side channel. Where no run is open nothing is logged, and where MLflow fails a warning says so: no training is
lost because of its records.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ParamSpec

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.pipelines.late import Checkpoint, DataFrame, RunRecord, Snapshots

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fashion_dgm.training.epoch import EpochRow

__all__ = [
    "DIGEST",
    "leave_out",
    "log_discrete_likelihood",
    "log_distances",
    "log_epoch",
    "log_gradients",
    "log_run",
    "log_samples",
    "log_sampling",
    "side_channel",
    "tag_findings",
]

P = ParamSpec("P")

DIGEST = 36
"""How many digits MLflow takes for the digest of a data set."""

logger = logging.getLogger(__name__)
# Of the session: training nodes, whose epochs are logged, have no parameter for what MLflow shows.
_left_out: tuple[str, ...] = ()


def side_channel(log: Callable[P, None]) -> Callable[P, None]:
    """Lets `log` do nothing where no run is open, and fail with no more than a warning."""

    @functools.wraps(log)
    def logged(*args: P.args, **kwargs: P.kwargs) -> None:
        import mlflow
        from mlflow.exceptions import MlflowException

        if mlflow.active_run() is None:
            return
        try:
            log(*args, **kwargs)
        except (MlflowException, FashionDGMError, OSError) as error:
            logger.warning("not recorded in MLflow (%s): %s", log.__name__.lstrip("_"), error)

    return logged


def leave_out(patterns: Iterable[str]) -> None:
    """Sets which metrics `log_epoch` leaves out, by patterns of their names."""
    global _left_out
    _left_out = tuple(patterns)


@side_channel
def log_epoch(row: EpochRow, seconds: float | None) -> None:
    """Logs an epoch's metrics under their names, with the epoch as step.

    Names that mean the same in two models are the same, so that MLflow lays their curves over one another.
    """
    import mlflow

    epoch = int(row["epoch"])
    left_out = ("epoch", *_left_out)
    metrics = {
        name: value for name, value in row.items() if not any(fnmatchcase(name, pattern) for pattern in left_out)
    }
    if seconds is not None:
        metrics["seconds_per_epoch"] = seconds
    mlflow.log_metrics(metrics, step=epoch)


@side_channel
def log_distances(table: DataFrame, models: Mapping[str, Snapshots], digests: Mapping[str, str]) -> None:
    """Logs a table of distances, each model's by epoch, and takes them to the runs that trained the models.

    In the open run a curve has its model's name before it. In the run that trained the model it has not, so that MLflow lays
    the curves of two models over one another; it also states which epoch is best. An earlier evaluation's log in such
    a run stays. The generator of the best epoch is registered, if its training registered one: by FID if computed. The
    registered generators carry their distances, so that MLflow ranks them.

    Arguments:
        table: of `evaluation.scoring.Scores.by_epoch`.
        models: by name, the snapshots that were scored.
        digests: by split, the hash of its images.
    """
    import mlflow

    from fashion_dgm.evaluation.scoring import best_and_last

    for row in table.itertuples():
        mlflow.log_metric(f"{row.model}/{_distance(row.feature_space, row.split)}", row.distance, step=row.epoch)
    rows = [row for row in best_and_last(table) if row["model"] in models]
    # In the order of feature spaces, so that of two the name of the second, "inception", stays.
    for model, best in {row["model"]: row for row in rows}.items():
        snapshots = models[model]
        run = _run_that_ended_with(snapshots[max(snapshots)]())
        if run is None:
            continue
        ids = _register_best(model, snapshots, best, run)
        for row in rows:
            if row["model"] == model:
                same = (table["model"] == model) & (table["feature_space"] == row["feature_space"])
                _log_in_training_run(run, table[same], row, ids, digests)


@side_channel
def log_discrete_likelihood(flow: Checkpoint, found: Mapping[str, Any]) -> None:
    """Logs bits/dim by the number of draws of noise, which is the step, and the gain over one draw.

    In the run that trained the flow; of one whose training is not recorded, in the open run, under its architecture's name.
    """
    import mlflow
    from mlflow.entities import Metric

    trained, now = _run_that_ended_with(flow), int(1000 * time.time())
    prefix = "" if trained else f"{flow.architecture}/"
    metrics = [
        Metric(f"{prefix}discrete_{name}", value, now, int(draws))
        for name in ("bits_per_dim", "bits_per_dim_error", "gain", "gain_error")
        for draws, value in found.get(name, {}).items()
    ]
    mlflow.MlflowClient().log_batch(trained or _open_run().info.run_id, metrics)


@side_channel
def log_samples(model: str, snapshots: Snapshots, samples: Mapping[int, NDArray], columns: int) -> None:
    """Logs a grid of images for each epoch, with the epoch as step, in the run that trained the model.

    Of a model whose training is not recorded, they go to the open run, under the model's name.
    """
    import mlflow

    from fashion_dgm.reporting.animation import frame

    client, trained = mlflow.MlflowClient(), _run_that_ended_with(snapshots[max(snapshots)]())
    if trained is not None and client.list_artifacts(trained, "images"):
        return
    for epoch, images in samples.items():
        client.log_image(
            trained or _open_run().info.run_id,
            frame(images, columns, f"epoch {epoch}"),
            key="samples" if trained else f"{model}/samples",
            step=epoch,
            synchronous=True,
        )


@side_channel
def log_sampling(seconds: Mapping[str, float]) -> None:
    """Logs how many seconds each model takes for a thousand images; files don't have it, as it is of one machine."""
    import mlflow

    mlflow.log_metrics({f"{model}/seconds_per_1000_images": taken for model, taken in seconds.items()})


@side_channel
def log_run(number: int, record: RunRecord) -> None:
    """Logs the last distance of one run of many, with the seed as step."""
    import mlflow

    mlflow.log_metric("runs", number)
    mlflow.log_metric(f"{record.model}/{record.variation}/diverged", record.status == "diverged", step=record.seed)
    for score in record.scores[-1:]:
        mlflow.log_metric(f"{record.model}/{record.variation}/distance", score.distance, step=record.seed)


@side_channel
def log_gradients(epoch: int, seed: int, rows: DataFrame) -> None:
    """Logs the norms of a generator's gradients by step of its discriminator."""
    import mlflow

    for row in rows.itertuples():
        mlflow.log_metric(f"epoch {epoch}/seed {seed}/{row.loss}", row.norm, step=row.step)


@side_channel
def tag_findings(findings: Mapping[str, str]) -> None:
    """Tags the open run with what it has shown, so that runs can be compared by their conclusions."""
    import mlflow

    mlflow.set_tags({f"finding.{name}": verdict for name, verdict in findings.items()})


def _distance(space: str, split: str) -> str:
    return f"{space}_distance_to_{split}"


def _open_run() -> Any:
    import mlflow

    return mlflow.active_run()


def _run_that_ended_with(model: Checkpoint) -> str | None:
    """The newest run that ended with these weights, or None: an evaluation may come days after the training."""
    import mlflow

    filter_string = f"tags.weights_sha256 = '{model.sha256}'"
    found = mlflow.MlflowClient().search_runs([_open_run().info.experiment_id], filter_string, max_results=1)
    return found[0].info.run_id if found else None


def _register_best(model: str, snapshots: Snapshots, best: Mapping[str, Any], run: str) -> dict[int, str]:
    """Registers the best generator if the last one is; returns the ids of both, by epoch."""
    from fashion_dgm.catalog.registry import logged_model, register, registered
    from fashion_dgm.evaluation.scoring import SELECT

    name, last = f"{model}_generator", max(snapshots)
    version = registered(name, snapshots[last]())
    if version is None:
        return {}
    epoch, space = best["best_epoch"], best["feature_space"]
    tags = {_distance(space, SELECT): best[f"best_on_{SELECT}"], "trained_by_run": run}
    return {last: logged_model(version), epoch: logged_model(register(name, snapshots[epoch](), "best", tags, run))}


def _log_in_training_run(
    run: str, rows: DataFrame, best: Mapping[str, Any], ids: Mapping[int, str], digests: Mapping[str, str]
) -> None:
    import mlflow
    from mlflow.entities import Metric, RunTag

    client, space, now = mlflow.MlflowClient(), best["feature_space"], int(1000 * time.time())
    if any(name.startswith(f"{space}_distance_to_") for name in client.get_run(run).data.metrics):
        return
    metrics = [
        Metric(
            _distance(space, row.split),
            row.distance,
            now,
            row.epoch,
            model_id=ids.get(row.epoch),
            dataset_name=row.split,
            dataset_digest=digests[row.split][:DIGEST],
        )
        for row in rows.itertuples()
    ]
    metrics += [
        Metric(f"best_{_distance(space, split)}", best[f"best_on_{split}"], now, best["best_epoch"])
        for split in rows["split"].unique()
    ]
    tags = {f"{space}_best_epoch": best["best_epoch"], f"{space}_distances_by_run": _open_run().info.run_id}
    client.log_batch(run, metrics, tags=[RunTag(name, str(value)) for name, value in tags.items()])
