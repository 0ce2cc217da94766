"""Nodes of `fid_eval`."""

from __future__ import annotations

from typing import Any

from fashion_dgm.config import FIDConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.late import Checkpoint, DataFrame, FeatureCache, Figure, Snapshots, figures
from fashion_dgm.pipelines.tracking import log_distances

__all__ = ["plot_distances", "score_samples"]


def score_samples(
    train: ImageSet,
    test: ImageSet,
    benchmark: ImageSet,
    classifier: Checkpoint | None,
    cache: FeatureCache,
    config: FIDConfig,
    **models: Snapshots | None,
) -> tuple[DataFrame, DataFrame, dict[str, Any]]:
    """Scores every snapshot of the models, and samples from elsewhere, in every feature space that is to be had."""
    from fashion_dgm.evaluation import samples
    from fashion_dgm.evaluation import scoring as fid
    from fashion_dgm.evaluation.real_images import RealImages
    from fashion_dgm.evaluation.spaces import available_spaces, training_data_warnings
    from fashion_dgm.training.device import resolve_device

    device = resolve_device(config.device)
    spaces, missing = available_spaces(config, classifier, device)
    splits = {fid.SELECT: test, fid.REPORT: benchmark, fid.TRAIN: train}
    real = RealImages(splits, config.samples, config.seed, cache, device, config.batch_size)
    trained = {name: snapshots for name, snapshots in models.items() if snapshots}
    sources = [
        *samples.snapshot_sources(trained, config.seed, device, config.batch_size),
        *samples.external_sources(config.samples_from, config.seed, taken={*models, *splits}),
    ]
    scores = fid.score_samples(sources, real, spaces, config, device)
    log_distances(scores.by_epoch, trained, {name: images.sha256 for name, images in splits.items()})
    metrics = {
        "rows": fid.best_and_last(scores.by_epoch),
        "quality": fid.records(scores.quality),
        "floor": scores.floors(),
        "samples": real.n,
        "seed": config.seed,
        "neighbours": config.neighbours,
        "kid": config.kid.model_dump(),
        "extrapolation_groups": config.extrapolation_groups,
        "feature_spaces": {space.name: space.describe() for space in spaces},
        "failures": scores.failures,
        "conversions": scores.conversions,
        "missing": missing,
        "warnings": [*training_data_warnings(spaces, train.sha256), *scores.warnings],
    }
    return scores.by_epoch, scores.quality, metrics


def plot_distances(table: DataFrame, metrics: dict[str, Any]) -> Figure:
    """Draws the distances to the test split by epoch, with their floor and the samples from elsewhere."""
    floors = metrics["floor"]
    external: dict[str, dict[str, float]] = {space: {} for space in floors}
    for row in metrics["quality"]:
        if row["state"] == "external":
            size = "" if row["samples"] == metrics["samples"] else f" (N = {row['samples']})"
            external[row["feature_space"]][row["model"] + size] = row["distance_test"]
    return figures.fid_curves(table[table["split"] == "test"], floors, external, metrics["samples"])
