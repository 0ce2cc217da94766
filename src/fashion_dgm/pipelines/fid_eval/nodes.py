"""Nodes of `fid_eval`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from fashion_dgm.config import FIDConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.pipelines.types import Checkpoint, DataFrame, Figure

__all__ = ["plot_distances", "score_snapshots"]

logger = logging.getLogger(__name__)
Snapshots = dict[int, Callable[[], "Checkpoint"]]


def score_snapshots(
    gan: Snapshots,
    wgan: Snapshots,
    classifier: Checkpoint,
    classifier_metrics: dict[str, Any],
    train: ImageSet,
    test: ImageSet,
    benchmark: ImageSet,
    config: FIDConfig,
) -> tuple[DataFrame, dict[str, Any]]:
    """Scores every snapshot of both models in every feature space that is to be had."""
    from fashion_dgm.checkpoint import build_model
    from fashion_dgm.gans.networks import Generator
    from fashion_dgm.metrics import features, fid
    from fashion_dgm.metrics.classifier import Classifier
    from fashion_dgm.pipelines.tracking import log_distances
    from fashion_dgm.training.device import resolve_device

    device = resolve_device(config.device)
    network = build_model(classifier, "Classifier")
    assert isinstance(network, Classifier)
    spaces, missing = [features.classifier_space(network, device)], []
    if config.inception:
        try:
            weights = features.find_inception_weights(
                config.inception_weights, config.inception_sha256, config.inception_download
            )
            spaces.append(features.inception_space(weights, device))
        except FashionDGMError as error:
            logger.warning("no FID in Inception features: %s", error)
            missing.append(str(error))
    else:
        missing.append("FID in Inception features was not asked for (fid_eval.inception is off)")

    def maker(load: Callable[[], Checkpoint]) -> Callable[[], Generator]:
        def make() -> Generator:
            built = build_model(load(), "Generator")
            assert isinstance(built, Generator)
            return built

        return make

    table, floors = fid.score_generators(
        models={
            name: {epoch: maker(load) for epoch, load in snapshots.items()}
            for name, snapshots in {"gan": gan, "wgan": wgan}.items()
        },
        references={"test": test, "benchmark": benchmark},
        floor=train,
        spaces=spaces,
        samples=config.samples,
        seed=config.seed,
        device=device,
        batch_size=config.batch_size,
    )
    log_distances(table)
    n = int(table["samples"].iloc[0])
    described = {
        space.name: {
            "label": space.label,
            "layer": space.layer,
            "dimension": space.dimension,
            "weights_sha256": space.weights_sha256,
        }
        for space in spaces
    }
    described["classifier"]["accuracy"] = classifier_metrics["benchmark_accuracy"]
    return table, {
        "rows": fid.best_and_last(table, select="test", report="benchmark"),
        "floors": floors,
        "samples": n,
        "feature_spaces": described,
        "missing": missing,
        "warnings": fid.sample_size_warnings(spaces, n),
    }


def plot_distances(table: DataFrame, metrics: dict[str, Any]) -> Figure:
    """Draws the distances to the test split by epoch, with their floor."""
    from fashion_dgm.reporting.figures import fid_curves

    floors = {space: values["test"] for space, values in metrics["floors"].items()}
    return fid_curves(table[table["split"] == "test"], floors)
