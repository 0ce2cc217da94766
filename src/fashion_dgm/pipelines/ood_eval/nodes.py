"""Nodes of `ood_eval`."""

from collections.abc import Mapping
from typing import Any

from fashion_dgm.config import OODConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.late import Checkpoint, DataFrame, Figure, Snapshots, StateStore, figures

__all__ = ["measure_detection", "plot_matrix", "plot_primary_score", "plot_scores", "score_images"]


def score_images(
    flow: Checkpoint,
    snapshots: Snapshots | None,
    train: ImageSet,
    benchmark: ImageSet,
    ood_sets: Mapping[str, ImageSet],
    config: OODConfig,
    background: Checkpoint | None = None,
    residual_flow: Checkpoint | None = None,
    classifier: Checkpoint | None = None,
    reference: Mapping[str, Checkpoint | Snapshots] | None = None,
    store: StateStore | None = None,
    **others: Any | None,
) -> tuple[DataFrame, dict[str, Any]]:
    """Fits every score to training images, then scores each benchmark and out-of-distribution image.

    A score that needs a model which is None is missing, with the reason.

    Arguments:
        reference: the models that come with the package, whose flows are used in place of all others if parameters say so.
        store: where the measures of each set are kept while the others are computed.
        others: further flows by name, and their snapshots as `NAME_snapshots`; None if they were never trained.
    """
    from fashion_dgm.ood.evaluation import chosen_models, score_sets

    trained: dict[str, Any] = {"flow": flow, "flow_snapshots": snapshots, **others}
    trained |= {"background": background, "residual_flow": residual_flow, "classifier": classifier}
    return score_sets(chosen_models(trained, reference, config), train, benchmark, ood_sets, config, store)


def measure_detection(
    scores: DataFrame, fitted: dict[str, Any], sets_summary: dict[str, Any], config: OODConfig
) -> tuple[DataFrame, DataFrame, dict[str, Any]]:
    """Measures how well every score detects each out-of-distribution set, and compares the primary score with the others."""
    from fashion_dgm.data.ood import partners_of
    from fashion_dgm.ood.summary import summarise
    from fashion_dgm.ood.table import detection_table

    partners = {name: partners_of(sets_summary, name) for name in sets_summary.get("sets", {})}
    typical = fitted["typical_bits_per_dim"]
    table, differences = detection_table(scores, fitted["in_distribution"], typical, config, partners)
    return table, differences, summarise(scores, table, differences, fitted, sets_summary, config)


def plot_scores(scores: DataFrame, metrics: dict[str, Any]) -> Figure:
    """Draws the histograms of bits/dim."""
    return figures.ood_histogram(
        _of_first_model(scores, metrics), metrics["in_distribution"]["name"], _in_words(metrics["sets"])
    )


def plot_primary_score(scores: DataFrame, metrics: dict[str, Any]) -> Figure:
    """Draws the histograms of the primary score, by rank among the benchmark's."""
    name = metrics["primary_score"]
    results = metrics["models"][metrics["model"]]["results"][name]
    return figures.score_histogram(
        _of_first_model(scores, metrics), name, metrics["in_distribution"]["name"], _in_words(results)
    )


def plot_matrix(table: DataFrame, metrics: dict[str, Any]) -> Figure:
    """Draws the AUROC of every score on every set."""
    labels = {name: definition["label"] for name, definition in metrics["definitions"].items()}
    # What needs no flow is the same under each.
    flowless = [name for name, definition in metrics["definitions"].items() if not definition["uses_flow"]]
    table = table[(table["model"] == metrics["model"]) | ~table["score"].isin(flowless)]
    return figures.auroc_matrix(table, labels, metrics["primary_score"])


def _of_first_model(scores: DataFrame, metrics: dict[str, Any]) -> DataFrame:
    return scores[scores["model"] == metrics["model"]]


def _in_words(results: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: "{:.3f} ({:.3f} to {:.3f})".format(found["auroc"], *found["auroc_interval"])
        for name, found in results.items()
        if found["auroc"] is not None
    }
