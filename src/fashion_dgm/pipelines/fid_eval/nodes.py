"""Nodes of `fid_eval`."""

from collections.abc import Mapping
from typing import Any

from fashion_dgm.config import FIDConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.late import Checkpoint, DataFrame, FeatureCache, Figure, Snapshots, StateStore, figures
from fashion_dgm.pipelines.tracking import log_distances, log_sampling

__all__ = ["plot_distances", "plot_feature_spaces", "score_samples"]


def score_samples(
    train: ImageSet,
    test: ImageSet,
    benchmark: ImageSet,
    classifier: Checkpoint | None,
    cache: FeatureCache,
    config: FIDConfig,
    reference: Mapping[str, Checkpoint | Snapshots],
    store: StateStore | None = None,
    **models: Checkpoint | Snapshots | None,
) -> tuple[DataFrame, DataFrame, dict[str, Any]]:
    """Scores every snapshot of the generators, the flows, and samples from elsewhere, in all available feature spaces.

    Arguments:
        reference: the models that come with the package, which are scored in place of the others if parameters say so.
        store: where the scores of each model are kept while the others are computed.
        models: generators' snapshots and flows, by name; None if they were never trained.
    """
    from fashion_dgm.checkpoint import content_hashes
    from fashion_dgm.evaluation import samples
    from fashion_dgm.evaluation import scoring as fid
    from fashion_dgm.evaluation.real_images import RealImages
    from fashion_dgm.evaluation.spaces import available_spaces, training_data_warnings
    from fashion_dgm.flows.families import code_of_flows
    from fashion_dgm.training.device import resolve_device
    from fashion_dgm.training.fingerprint import evaluation_fingerprint
    from fashion_dgm.training.store import Progress

    device = resolve_device(config.device)
    spaces, missing = available_spaces(config, classifier, device)
    splits = {fid.SELECT: test, fid.REPORT: benchmark, fid.TRAIN: train}
    real = RealImages(splits, config.samples, config.seed, cache, device, config.batch_size)
    generators, flows = samples.generators_and_flows(
        reference if config.models == "reference" else models, config.flows
    )
    drawn = config.seed, device, config.batch_size
    sources = [
        *samples.snapshot_sources(generators, *drawn),
        *samples.flow_sources(flows, config.temperatures, *drawn),
        *samples.external_sources(config.samples_from, config.seed, taken=samples.reserved_names(models)),
    ]
    code = "fashion_dgm.evaluation.scoring", "fashion_dgm.evaluation.samples", *code_of_flows(flows.values())
    data = {name: images.sha256 for name, images in splits.items()}
    inputs = content_hashes({**generators, **flows}) | data | {space.name: space.weights_sha256 for space in spaces}
    progress = Progress(store, evaluation_fingerprint(config, code, device, inputs))
    scores = fid.score_samples(sources, real, spaces, config, device, progress)
    progress.finish()
    log_distances(scores.by_epoch, generators, data)
    log_sampling({name: 1000 * seconds / real.n for name, seconds in scores.seconds.items()})
    metrics = scores.to_metrics(config, real, spaces)
    metrics["missing"] = missing
    metrics["warnings"] = [*training_data_warnings(spaces, train.sha256), *metrics["warnings"]]
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


def plot_feature_spaces(metrics: dict[str, Any]) -> Figure:
    """Draws how the feature spaces rank the same samples."""
    from fashion_dgm.findings.fid import fid
    from fashion_dgm.reporting.wording import set_name

    sets = fid(metrics).ranking["sets"]
    return figures.feature_spaces({set_name(found): found["distances"] for found in sets}, metrics["floor"])
