"""Nodes of `ood_eval`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fashion_dgm.config import OODConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.pipelines.types import Checkpoint, DataFrame, Figure

__all__ = [
    "IN_DISTRIBUTION",
    "measure_detection",
    "plot_headline",
    "plot_matrix",
    "plot_samples",
    "plot_scores",
    "score_images",
]

IN_DISTRIBUTION = "fashion_mnist"

logger = logging.getLogger(__name__)


def score_images(
    flow: Checkpoint,
    classifier: Checkpoint,
    train: ImageSet,
    benchmark: ImageSet,
    ood_sets: Mapping[str, ImageSet],
    config: OODConfig,
) -> tuple[DataFrame, dict[str, Any]]:
    """Fits every score to training images, then scores each benchmark and out-of-distribution image."""
    import pandas as pd

    from fashion_dgm.checkpoint import build_model
    from fashion_dgm.flows.flow import Flow
    from fashion_dgm.metrics.classifier import Classifier
    from fashion_dgm.metrics.ood.scorer import Models, Scorer
    from fashion_dgm.training.device import resolve_device

    device = resolve_device(config.device)
    model = build_model(flow, flow.architecture).to(device)
    judge = build_model(classifier, "Classifier").to(device)
    assert isinstance(model, Flow)
    assert isinstance(judge, Classifier)
    scorer = Scorer(Models({flow.architecture: model}, classifier=judge), train, config, device)
    tables, failed = [], {}
    for name in (IN_DISTRIBUTION, *ood_sets):
        try:
            inside = name == IN_DISTRIBUTION
            images = benchmark if inside else ood_sets[name]
            found = scorer(images.images[: config.benchmark_images if inside else config.max_images])
        except FashionDGMError as error:
            if name == IN_DISTRIBUTION:
                raise
            # One set that cannot be scored must not cost the others.
            failed[name] = str(error)
            logger.warning("out-of-distribution set %s was not scored: %s", name, error)
            continue
        for which, scores in found.items():
            index = range(len(scores["bits_per_dim"]))
            tables.append(pd.DataFrame({"model": which, "dataset": name, "index": index, **scores}))
    if len({table["dataset"].iloc[0] for table in tables}) < 2:
        raise FashionDGMError(f"not one out-of-distribution set could be scored: {failed}")
    fitted = {
        "images": config.fit_images,
        "references": scorer.references,
        "typical_bits_per_dim": scorer.typical,
        "missing": scorer.missing,
        "failed": failed,
    }
    return pd.concat(tables, ignore_index=True), fitted


def measure_detection(
    scores: DataFrame, fitted: dict[str, Any], sets_summary: dict[str, Any], config: OODConfig
) -> tuple[DataFrame, dict[str, Any]]:
    """Measures how well every score tells each out-of-distribution set from the benchmark."""
    from fashion_dgm.metrics.ood.summary import summarise
    from fashion_dgm.metrics.ood.table import detection_table

    table = detection_table(scores, IN_DISTRIBUTION, fitted["typical_bits_per_dim"], config)
    return table, summarise(scores, table, fitted, sets_summary, IN_DISTRIBUTION, config)


def plot_scores(scores: DataFrame, metrics: dict[str, Any]) -> Figure:
    """Draws the histograms of bits/dim."""
    from fashion_dgm.reporting.figures import ood_histogram

    return ood_histogram(_of_first_model(scores), IN_DISTRIBUTION, _in_words(metrics["sets"]))


def plot_headline(scores: DataFrame, metrics: dict[str, Any]) -> Figure:
    """Draws the histograms of the headline score, by rank among the benchmark's."""
    from fashion_dgm.reporting.figures import score_histogram

    name = metrics["headline"]
    results = metrics["models"][metrics["model"]]["results"][name]
    return score_histogram(_of_first_model(scores), name, IN_DISTRIBUTION, _in_words(results))


def plot_matrix(table: DataFrame, metrics: dict[str, Any]) -> Figure:
    """Draws the AUROC of every score on every set."""
    from fashion_dgm.reporting.figures import auroc_matrix

    labels = {name: definition["label"] for name, definition in metrics["definitions"].items()}
    return auroc_matrix(table, labels, metrics["headline"])


def plot_samples(flow: Checkpoint, config: OODConfig) -> Figure:
    """Draws samples of the flow at each temperature, from the same latents."""
    from fashion_dgm.checkpoint import build_model
    from fashion_dgm.flows import RealNVP
    from fashion_dgm.reporting.figures import flow_samples
    from fashion_dgm.training.seeds import generator

    model = build_model(flow, "RealNVP")
    assert isinstance(model, RealNVP)
    samples = {
        f"T = {temperature:g}": model.sample(config.samples, temperature, generator(config.seed, "samples")).numpy()
        for temperature in config.temperatures
    }
    return flow_samples(samples, columns=10)


def _of_first_model(scores: DataFrame) -> DataFrame:
    return scores[scores["model"] == scores["model"].iloc[0]]


def _in_words(results: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: "{:.3f} ({:.3f} to {:.3f})".format(found["auroc"], *found["auroc_interval"])
        for name, found in results.items()
        if found["auroc"] is not None
    }
