"""What training and evaluation log to MLflow while they run.

MLflow is a side channel. Where no run is open nothing is logged, and nothing here waits for MLflow: no training is lost or
held up because of its records.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fashion_dgm.pipelines.late import Checkpoint, DataFrame, RunRecord, Snapshots
from fashion_dgm.tracking import calls
from fashion_dgm.tracking.recorder import current, milliseconds, side_channel

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
    "tag_findings",
]

DIGEST = 36
"""How many digits MLflow takes for the digest of a data set."""

# Of the session: training nodes, whose epochs are logged, have no parameter for what MLflow shows.
_left_out: tuple[str, ...] = ()


def leave_out(patterns: Iterable[str]) -> None:
    """Sets which metrics `log_epoch` leaves out, by patterns of their names."""
    global _left_out
    _left_out = tuple(patterns)


@side_channel
def log_epoch(row: EpochRow, seconds: float | None) -> None:
    """Logs an epoch's metrics under their names, with the epoch as step; of an earlier session's, what is missing.

    Names that mean the same in two models are the same, so that MLflow lays their curves over one another.
    """
    left_out = ("epoch", *_left_out)
    metrics = {
        name: value for name, value in row.items() if not any(fnmatchcase(name, pattern) for pattern in left_out)
    }
    if seconds is not None:
        metrics["seconds_per_epoch"] = seconds
    _log(metrics, int(row["epoch"]), again=seconds is None)


@side_channel
def log_distances(table: DataFrame, models: Mapping[str, Snapshots], digests: Mapping[str, str]) -> None:
    """Logs a table of distances, each model's by epoch, and takes them to the runs that trained the models.

    In the open run a curve has its model's name before it. In the run that trained the model it has not, so that MLflow lays
    the curves of two models over one another; it also states which epoch is best. An earlier evaluation's log in such
    a run stays. The generator of the best epoch is registered, if its training registered one: by FID if computed, else by
    the classifier's distance. The registered generators carry their distances, so that MLflow ranks them.

    Arguments:
        table: of `evaluation.scoring.Scores.by_epoch`.
        models: by name, the snapshots that were scored.
        digests: by split, the hash of its images.
    """
    from fashion_dgm.evaluation.scoring import SELECT, best_and_last

    now = milliseconds()
    curves: dict[str, list[dict[str, Any]]] = {}
    for (model, space, split), rows in table.groupby(["model", "feature_space", "split"], sort=False):
        name = _distance(space, split)
        points = list(zip(rows["epoch"].tolist(), rows["distance"].tolist(), strict=True))
        _put(calls.log, metrics=[(f"{model}/{name}", value, now, epoch) for epoch, value in points])
        metrics = [(name, value, now, epoch) for epoch, value in points]
        curve = {"space": space, "split": split, "digest": digests[split][:DIGEST], "metrics": metrics}
        curves.setdefault(model, []).append(curve)
    # The last one decides which generator is registered.
    order = {"classifier": 1, "inception": 2}
    best: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(best_and_last(table), key=lambda row: order.get(row["feature_space"], 0)):
        space, epoch = row["feature_space"], row["best_epoch"]
        splits = [curve["split"] for curve in curves[row["model"]] if curve["space"] == space]
        best.setdefault(row["model"], []).append(
            {
                "space": space,
                "epoch": epoch,
                "tags": {f"{space}_best_epoch": epoch},
                "metrics": [
                    (f"best_{_distance(space, split)}", row[f"best_on_{split}"], now, epoch) for split in splits
                ],
                "version": {_distance(space, SELECT): row[f"best_on_{SELECT}"]},
            }
        )
    for model in best.keys() & models.keys():
        chosen = {"last": max(models[model]), "best": best[model][-1]["epoch"]}
        with tempfile.TemporaryDirectory() as folder:
            weights = {
                name: _saved(models[model][epoch](), epoch, Path(folder) / f"{name}.safetensors")
                for name, epoch in chosen.items()
            }
            _put(calls.log_distances, model=model, weights=weights, best=best[model], curves=curves[model])


@side_channel
def log_discrete_likelihood(flow: Checkpoint, found: Mapping[str, Any]) -> None:
    """Logs bits/dim by the number of draws of noise, which is the step, and the gain over one draw.

    In the run that trained the flow; of one whose training is not recorded, in the open run, under its architecture's name.
    """
    now = milliseconds()
    metrics = [
        (f"discrete_{name}", value, now, int(draws))
        for name in ("bits_per_dim", "bits_per_dim_error", "gain", "gain_error")
        for draws, value in found.get(name, {}).items()
    ]
    _put(calls.log_where_trained, weights_sha256=flow.sha256, metrics=metrics, prefix=flow.architecture)


@side_channel
def log_samples(model: str, snapshots: Snapshots, samples: Mapping[int, NDArray], columns: int) -> None:
    """Logs a grid of images for each epoch, with the epoch as step, in the run that trained the model.

    Of a model whose training is not recorded, they go to the open run, under the model's name.
    """
    from fashion_dgm.reporting.animation import frame

    sha256 = snapshots[max(snapshots)]().sha256
    with tempfile.TemporaryDirectory() as folder:
        paths = {epoch: Path(folder) / f"{epoch}.png" for epoch in samples}
        for epoch, images in samples.items():
            frame(images, columns, f"epoch {epoch}").save(paths[epoch])
        _put(calls.log_samples, weights_sha256=sha256, model=model, images=paths)


@side_channel
def log_sampling(seconds: Mapping[str, float]) -> None:
    """Logs how many seconds each model takes for a thousand images; files don't have it, as it is of one machine."""
    _log({f"{model}/seconds_per_1000_images": taken for model, taken in seconds.items()})


@side_channel
def log_run(number: int, record: RunRecord) -> None:
    """Logs the last distance of one run of many, with the seed as step."""
    name = f"{record.model}/{record.variation}"
    _log({"runs": number})
    distances = {f"{name}/distance": score.distance for score in record.scores[-1:]}
    _log({f"{name}/diverged": record.status == "diverged", **distances}, record.seed)


@side_channel
def log_gradients(epoch: int, seed: int, rows: DataFrame) -> None:
    """Logs the norms of a generator's gradients by step of its discriminator."""
    now = milliseconds()
    metrics = [(f"epoch {epoch}/seed {seed}/{row.loss}", row.norm, now, row.step) for row in rows.itertuples()]
    _put(calls.log, metrics=metrics)


@side_channel
def tag_findings(findings: Mapping[str, str]) -> None:
    """Tags the open run with what it has shown, so that runs can be compared by their conclusions."""
    _put(calls.log, tags={f"finding.{name}": str(verdict) for name, verdict in findings.items()})


def _log(metrics: Mapping[str, float], step: int = 0, again: bool = False) -> None:
    now = milliseconds()
    _put(calls.log, metrics=[(name, float(value), now, step) for name, value in metrics.items()], again=again)


def _put(call: Callable[..., None], **arguments: Any) -> None:
    if (recorder := current()) is not None:
        recorder.put(call, **arguments)


def _saved(checkpoint: Checkpoint, epoch: int, path: Path) -> dict[str, Any]:
    from fashion_dgm.checkpoint import save_checkpoint

    save_checkpoint(checkpoint, path)
    return {"epoch": epoch, "sha256": checkpoint.sha256, "path": path}


def _distance(space: str, split: str) -> str:
    return f"{space}_distance_to_{split}"
