"""Nodes of `ood_eval`."""

import logging
from collections.abc import Mapping
from typing import Any

from fashion_dgm.config import OODConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.pipelines.late import Checkpoint, DataFrame, Figure, Snapshots, StateStore, figures

__all__ = ["measure_detection", "plot_matrix", "plot_primary_score", "plot_scores", "score_images"]

logger = logging.getLogger(__name__)


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
    import pandas as pd

    from fashion_dgm.checkpoint import content_hashes
    from fashion_dgm.classifier.network import Classifier
    from fashion_dgm.flows.families import code_of_flows
    from fashion_dgm.ood.scorer import Models, Scorer, for_slow_flow
    from fashion_dgm.registry import build_model, load_flow
    from fashion_dgm.training.device import resolve_device
    from fashion_dgm.training.fingerprint import evaluation_fingerprint
    from fashion_dgm.training.store import Progress

    device = resolve_device(config.device)
    labelled = None if classifier is None else build_model(classifier, "Classifier").to(device)
    assert labelled is None or isinstance(labelled, Classifier)
    given: Mapping[str, Any] = {"flow": flow, "flow_snapshots": snapshots, **others}
    if reference is not None and config.models == "reference":
        given = {name: model for name, model in reference.items() if not isinstance(model, Mapping)}
        if not given:
            raise FashionDGMError(
                "ood_eval.models is reference, but no flow comes with this package; train one, and set it to trained"
            )
        residual_flow = None
    flows: dict[str, tuple[Checkpoint, Snapshots | None]] = {}
    for name, model in given.items():
        if model is not None and not name.endswith("_snapshots"):
            # Of two flows of one architecture, the second goes by its name.
            known = name if model.architecture in flows else model.architecture
            flows[known] = (model, given.get(f"{name}_snapshots"))
    models = Models(
        {name: load_flow(last, config.device) for name, (last, _) in flows.items()},
        background=None if background is None else load_flow(background, config.device),
        ensembles={
            name: [load_flow(load(), config.device) for load in (earlier or {}).values()]
            for name, (_, earlier) in flows.items()
        },
        classifier=labelled,
    )
    given = {**given, "background": background, "residual_flow": residual_flow, "classifier": classifier}
    code = "fashion_dgm.ood.scorer", *code_of_flows(given.values())
    progress = Progress(
        store, evaluation_fingerprint(config, code, device, content_hashes(given) | {"train": train.sha256})
    )
    scorers = [(Scorer(models, train, config, device, progress), config)]
    if residual_flow is not None and config.residual_flow_images:
        slow = for_slow_flow(config)
        other = Models({residual_flow.architecture: load_flow(residual_flow, config.device)})
        scorers.append((Scorer(other, train, slow, device, progress), slow))
    tables, failed = [], {}
    for name in (benchmark.name, *ood_sets):
        inside = name == benchmark.name
        try:
            images = (benchmark if inside else ood_sets[name]).images
            for scorer, limits in scorers:
                found = scorer(images[: limits.benchmark_images if inside else limits.max_images])
                for which, scores in found.items():
                    index = range(len(scores["bits_per_dim"]))
                    tables.append(pd.DataFrame({"model": which, "dataset": name, "index": index, **scores}))
        except FashionDGMError as error:
            if inside:
                raise
            # One set that cannot be scored must not cost the others.
            failed[name] = str(error)
            logger.warning("out-of-distribution set %s was not scored: %s", name, error)
    tables = [table for table in tables if table["dataset"].iloc[0] not in failed]
    if len({table["dataset"].iloc[0] for table in tables}) < 2:
        raise FashionDGMError(f"not one out-of-distribution set could be scored: {failed}")
    fitted = {
        "in_distribution": benchmark.name,
        "images": config.fit_images,
        "ensemble": 1 + len(models.ensembles[next(iter(flows))]),
        "references": scorers[0][0].references,
        "typical_bits_per_dim": {name: bits for scorer, _ in scorers for name, bits in scorer.typical.items()},
        "missing": {name: reasons for scorer, _ in scorers for name, reasons in scorer.missing.items()},
        "failed": failed,
    }
    # A model at a time, the main one first.
    progress.finish()
    order = {table["model"].iloc[0]: None for table in tables}
    tables = [table for model in order for table in tables if table["model"].iloc[0] == model]
    return pd.concat(tables, ignore_index=True), fitted


def measure_detection(
    scores: DataFrame, fitted: dict[str, Any], sets_summary: dict[str, Any], config: OODConfig
) -> tuple[DataFrame, DataFrame, dict[str, Any]]:
    """Measures how well every score detects each out-of-distribution set, and compares the primary score with the others."""
    from fashion_dgm.data.ood import partners_of
    from fashion_dgm.ood.summary import summarise
    from fashion_dgm.ood.table import detection_table

    partners = {name: partners_of(sets_summary, name) for name in sets_summary.get("sets", {})}
    inside, typical = fitted["in_distribution"], fitted["typical_bits_per_dim"]
    table, differences = detection_table(scores, inside, typical, config, partners)
    summary = summarise(scores, table, differences, fitted, sets_summary, inside, config)
    return table, differences, summary


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
