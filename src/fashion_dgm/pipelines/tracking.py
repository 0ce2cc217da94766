"""Live metrics of the training nodes, into whichever MLflow run is open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fashion_dgm.pipelines.types import DataFrame, RunRecord
from fashion_dgm.training.epoch import EpochRow

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["log_distances", "log_epoch", "log_gradients", "log_run", "log_samples"]


def log_epoch(row: EpochRow, seconds: float | None) -> None:
    """Logs an epoch's metrics under their names, with the epoch as step; does nothing where no run is open.

    Names that mean the same in two models are the same, so that MLflow lays their curves over one another.
    """
    import mlflow

    if mlflow.active_run() is None:
        return
    epoch = int(row["epoch"])
    metrics = {name: value for name, value in row.items() if name != "epoch"}
    if seconds is not None:
        metrics["seconds_per_epoch"] = seconds
    mlflow.log_metrics(metrics, step=epoch)


def log_distances(table: DataFrame) -> None:
    """Logs a table of distances, each model's by epoch; does nothing where no run is open."""
    import mlflow

    if mlflow.active_run() is None:
        return
    for row in table.itertuples():
        mlflow.log_metric(f"{row.model}/{row.feature_space}_distance_to_{row.split}", row.distance, step=row.epoch)


def log_samples(name: str, samples: Mapping[int, NDArray], columns: int) -> None:
    """Logs a grid of images for each epoch, with the epoch as step; does nothing where no run is open."""
    import mlflow

    from fashion_dgm.reporting.animation import frame

    if mlflow.active_run() is None:
        return
    for epoch, images in samples.items():
        mlflow.log_image(frame(images, columns, f"epoch {epoch}"), key=name, step=epoch, synchronous=True)


def log_run(number: int, record: RunRecord) -> None:
    """Logs the last distance of one run of many, with the seed as step; does nothing where no run is open."""
    import mlflow

    if mlflow.active_run() is None:
        return
    mlflow.log_metric("runs", number)
    mlflow.log_metric(f"{record.model}/{record.variation}/diverged", record.status == "diverged", step=record.seed)
    for score in record.scores[-1:]:
        mlflow.log_metric(f"{record.model}/{record.variation}/distance", score.distance, step=record.seed)


def log_gradients(epoch: int, seed: int, rows: DataFrame) -> None:
    """Logs the norms of a generator's gradients by step of its opponent; does nothing where no run is open."""
    import mlflow

    if mlflow.active_run() is None:
        return
    for row in rows.itertuples():
        mlflow.log_metric(f"epoch {epoch}/seed {seed}/{row.loss}", row.norm, step=row.step)
