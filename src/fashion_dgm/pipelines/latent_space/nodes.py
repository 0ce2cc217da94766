"""Nodes of `latent_space`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fashion_dgm.config import LatentSpaceConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.types import Checkpoint, DataFrame, Figure

__all__ = ["plot_paths", "probe_latents", "summarise_latents"]


def probe_latents(
    flow: Checkpoint, benchmark: ImageSet, ood_sets: Mapping[str, ImageSet], config: LatentSpaceConfig
) -> tuple[DataFrame, Figure, Figure, Figure, Figure, Figure]:
    """Decodes latents of every kind, scores the images, and draws them."""
    from fashion_dgm.data.images import choose_set
    from fashion_dgm.experiments.latent_space import experiments, summary
    from fashion_dgm.experiments.latent_space.probe import Probe
    from fashion_dgm.pipelines.models import load_flow
    from fashion_dgm.reporting import figures
    from fashion_dgm.reporting.wording import dataset_name

    foreign = choose_set(ood_sets, config.stranger).images[: config.images]
    familiar = benchmark.images[: 2 * config.images]
    probe = Probe(load_flow(flow, config.device), config.batch_size, config.seed)
    shots = [
        *experiments.temperatures(probe, config),
        *experiments.off_typical(probe, config),
        *experiments.real_directions(probe, familiar, config),
        *experiments.interpolations(probe, familiar, config),
        *experiments.strangers(probe, familiar, foreign, config),
    ]
    return (
        summary.table_of(shots),
        figures.latent_temperatures(shots),
        figures.latent_off_typical(shots),
        figures.latent_scales(shots),
        figures.latent_interpolations(shots),
        figures.latent_strangers(shots, dataset_name(config.stranger)),
    )


def summarise_latents(scores: DataFrame, parts: DataFrame, config: LatentSpaceConfig) -> dict[str, Any]:
    """Measures each kind of latents against the real images of the benchmark."""
    from fashion_dgm.experiments.latent_space.summary import compare_paths, summarise_shots

    reference = parts.loc[parts["dataset"] == "fashion_mnist", "bits_per_dim"].to_numpy()
    options: dict[str, Any] = {"bootstrap": config.bootstrap, "confidence": config.confidence, "seed": config.seed}
    return {
        "stranger": config.stranger,
        "confidence": config.confidence,
        "reference": {
            "images": len(reference),
            "bits_per_dim": float(reference.mean()),
            "quantiles": [float(value) for value in _quantiles(reference)],
        },
        "variants": summarise_shots(scores, reference, **options),
        "paths": compare_paths(scores, **options),
    }


def plot_paths(metrics: dict[str, Any]) -> Figure:
    """Draws bits/dim and norm along the ways between images."""
    from fashion_dgm.reporting.figures import latent_paths

    low, high = metrics["reference"]["quantiles"]
    return latent_paths(metrics["variants"], (low, high))


def _quantiles(values: Any) -> Any:
    import numpy as np

    return np.quantile(values, [0.05, 0.95])
