"""Scores of the official test images and of every OOD set, under every flow there is."""

import logging
from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch

from fashion_dgm.checkpoint import Checkpoint, content_hashes
from fashion_dgm.classifier.network import build_classifier
from fashion_dgm.config import OODConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.families import code_of_flows
from fashion_dgm.ood.scorer import Models, Scorer, for_slow_flow
from fashion_dgm.registry import load_flow
from fashion_dgm.training.device import resolve_device
from fashion_dgm.training.fingerprint import evaluation_fingerprint
from fashion_dgm.training.store import Progress, StateStore

__all__ = ["chosen_models", "score_sets"]

logger = logging.getLogger(__name__)

APART = ("background", "residual_flow", "classifier")
"""Names of models that are not scored as the other flows are."""


def chosen_models(
    trained: Mapping[str, Any], reference: Mapping[str, Any] | None, config: OODConfig
) -> Mapping[str, Any]:
    """Returns the models to score, as `score_sets` takes them.

    Arguments:
        trained: all that were trained.
        reference: the models that come with the package, whose flows are used in place of all others if `config` says so.

    Raises:
        FashionDGMError: if it says so, and no flow comes with the package.
    """
    if reference is None or config.models != "reference":
        return trained
    flows = {name: model for name, model in reference.items() if isinstance(model, Checkpoint)}
    if not flows:
        raise FashionDGMError(
            "ood_eval.models is reference, but no flow comes with this package; train one, and set it to trained"
        )
    return {**flows, "background": None, "residual_flow": None, "classifier": trained["classifier"]}


def score_sets(
    models: Mapping[str, Any],
    train: ImageSet,
    benchmark: ImageSet,
    ood_sets: Mapping[str, ImageSet],
    config: OODConfig,
    store: StateStore | None = None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Fits every score to training images, then scores each official test image and each OOD image.

    A score that needs a model which is None is missing, with the reason; an OOD set that cannot be scored has
    failed, with the reason.

    Arguments:
        models: checkpoints by name, None where there is none: flows, the main one first, with their weights after earlier
            epochs as `NAME_snapshots`; `background`; `residual_flow`, whose scores are slow; and `classifier`.
        ood_sets: by name; a set may fail to load.
        store: where the measures of each set are kept while the others are computed.

    Returns:
        Columns `model`, `dataset`, `index`, `bits_per_dim` and one for each score, a row an image, a model at a time; and
        what `fashion_dgm.ood.summary.summarise` takes as `fitted`, with the name of the in-distribution set and the mean
        bits/dim of the images that the scores were fitted to.

    Raises:
        FashionDGMError: if the official test images, or all OOD sets, cannot be scored.
    """
    device = resolve_device(config.device)
    code = "fashion_dgm.ood.scorer", *code_of_flows(models.values())
    inputs = content_hashes(models) | {"train": train.sha256}
    progress = Progress(store, evaluation_fingerprint(config, code, device, inputs))
    loaded = _load(models, config, device)
    scorers = [(Scorer(loaded, train, config, device, progress), config)]
    slow, of_slow = models["residual_flow"], for_slow_flow(config)
    if slow is not None and config.residual_flow_images:
        only = Models({slow.architecture: load_flow(slow, config.device)})
        scorers.append((Scorer(only, train, of_slow, device, progress), of_slow))

    def scored(name: str) -> list[pd.DataFrame]:
        inside = name == benchmark.name
        images = (benchmark if inside else ood_sets[name]).images
        return [
            pd.DataFrame({"model": model, "dataset": name, "index": range(len(scores["bits_per_dim"])), **scores})
            for scorer, limits in scorers
            for model, scores in scorer(images[: limits.benchmark_images if inside else limits.max_images]).items()
        ]

    tables, failed = scored(benchmark.name), {}
    for name in ood_sets:
        try:
            tables += scored(name)
        except FashionDGMError as error:
            # One set that cannot be scored must not cost the others.
            failed[name] = str(error)
            logger.warning("out-of-distribution set %s was not scored: %s", name, error)
    if len(failed) == len(ood_sets):
        raise FashionDGMError(f"not one out-of-distribution set could be scored: {failed}")
    progress.finish()
    typical = {model: bits for scorer, _ in scorers for model, bits in scorer.typical.items()}
    order = list(typical)
    tables.sort(key=lambda table: order.index(table["model"].iloc[0]))
    return pd.concat(tables, ignore_index=True), {
        "in_distribution": benchmark.name,
        "images": config.fit_images,
        "ensemble": 1 + len(loaded.ensembles[order[0]]),
        "references": scorers[0][0].references,
        "typical_bits_per_dim": typical,
        "missing": {model: reasons for scorer, _ in scorers for model, reasons in scorer.missing.items()},
        "failed": failed,
    }


def _load(models: Mapping[str, Any], config: OODConfig, device: torch.device) -> Models:
    flows, ensembles = {}, {}
    for name, model in models.items():
        if isinstance(model, Checkpoint) and name not in APART:
            # Of two flows of one architecture, the second goes by its name.
            known = name if model.architecture in flows else model.architecture
            flows[known] = load_flow(model, config.device)
            earlier = models.get(f"{name}_snapshots") or {}
            ensembles[known] = [load_flow(load(), config.device) for load in earlier.values()]
    background, classifier = models["background"], models["classifier"]
    labelled = None if classifier is None else build_classifier(classifier).to(device)
    return Models(
        flows,
        background=None if background is None else load_flow(background, config.device),
        ensembles=ensembles,
        classifier=labelled,
    )
