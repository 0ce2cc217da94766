"""Nodes of `ood_eval`."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from fashion_dgm.config import OODConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.types import Checkpoint, DataFrame, Figure

__all__ = ["IN_DISTRIBUTION", "measure_detection", "plot_samples", "plot_scores", "score_images"]

IN_DISTRIBUTION = "fashion_mnist"


def score_images(
    flow: Checkpoint, benchmark: ImageSet, ood_sets: Mapping[str, ImageSet], config: OODConfig
) -> DataFrame:
    """Scores each benchmark and out-of-distribution image by its bits/dim under the flow."""
    import pandas as pd
    import torch

    from fashion_dgm.checkpoint import build_model
    from fashion_dgm.flows import RealNVP
    from fashion_dgm.flows.likelihood import bits_per_dim_of
    from fashion_dgm.training.device import resolve_device, resolve_precision

    device = resolve_device(config.device)
    model = build_model(flow, "RealNVP").to(device)
    assert isinstance(model, RealNVP)
    precision = resolve_precision(config.precision, device)
    tables = []
    for name, images in itertools.chain([(IN_DISTRIBUTION, benchmark)], ood_sets.items()):
        pixels = torch.from_numpy(images.images[: config.max_images])
        scores = bits_per_dim_of(model, pixels, config.batch_size, config.seed, precision)
        tables.append(pd.DataFrame({"dataset": name, "index": range(len(scores)), "bits_per_dim": scores}))
    return pd.concat(tables, ignore_index=True)


def measure_detection(scores: DataFrame, config: OODConfig) -> dict[str, Any]:
    """Measures how well bits/dim tell each out-of-distribution set from the benchmark."""
    from fashion_dgm.metrics.detection import detection

    by_set = {str(name): group["bits_per_dim"].to_numpy() for name, group in scores.groupby("dataset", sort=False)}
    inside = by_set.pop(IN_DISTRIBUTION)

    def summary(values: Any) -> dict[str, Any]:
        return {
            "images": len(values),
            "bits_per_dim": float(values.mean()),
            "bits_per_dim_sd": float(values.std(ddof=1)),
        }

    sets = {}
    for name, outside in by_set.items():
        found = detection(inside, outside, config.bootstrap, config.confidence, config.seed)
        sets[name] = {
            **summary(outside),
            "auroc": found.auroc,
            "auroc_interval": list(found.auroc_interval),
            "aupr": found.aupr,
            "aupr_interval": list(found.aupr_interval),
        }
    return {
        "score": "bits per dimension, one-sided: high means out of distribution",
        "in_distribution": {"name": IN_DISTRIBUTION, **summary(inside)},
        "sets": sets,
        "confidence": config.confidence,
        "bootstrap": config.bootstrap,
    }


def plot_scores(scores: DataFrame, metrics: dict[str, Any]) -> Figure:
    """Draws the histograms of bits/dim."""
    from fashion_dgm.reporting.figures import ood_histogram

    auroc = {
        name: "{:.3f} ({:.3f} to {:.3f})".format(found["auroc"], *found["auroc_interval"])
        for name, found in metrics["sets"].items()
    }
    return ood_histogram(scores, IN_DISTRIBUTION, auroc)


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
