"""Nodes of `latent_space`."""

from collections.abc import Mapping
from typing import Any

from fashion_dgm.config import LatentSpaceConfig
from fashion_dgm.data.images import IN_DISTRIBUTION, ImageSet
from fashion_dgm.pipelines.late import Checkpoint, DataFrame, Figure, figures

__all__ = ["plot_paths", "probe_latents", "summarise_latents"]


def probe_latents(
    flow: Checkpoint, benchmark: ImageSet, ood_sets: Mapping[str, ImageSet], config: LatentSpaceConfig
) -> tuple[DataFrame, Figure, Figure, Figure, Figure, Figure]:
    """Decodes latents of every kind, scores the images, and draws them."""
    from fashion_dgm.data.images import choose_set
    from fashion_dgm.experiments.latent_space import experiments, summary
    from fashion_dgm.registry import load_flow
    from fashion_dgm.reporting.wording import dataset_name

    ood = choose_set(ood_sets, config.ood_set).images[: config.images]
    in_distribution = benchmark.images[: 2 * config.images]
    decoder = experiments.LatentDecoder(load_flow(flow, config.device), config.batch_size, config.seed)
    samples = [
        *experiments.temperatures(decoder, config),
        *experiments.off_typical(decoder, config),
        *experiments.real_directions(decoder, in_distribution, config),
        *experiments.interpolations(decoder, in_distribution, config),
        *experiments.ood_latents(decoder, in_distribution, ood, config),
    ]
    return (
        summary.table_of(samples),
        figures.latent_temperatures(samples),
        figures.latent_off_typical(samples),
        figures.latent_scales(samples),
        figures.latent_interpolations(samples),
        figures.latent_ood(samples, dataset_name(config.ood_set)),
    )


def summarise_latents(scores: DataFrame, parts: DataFrame, config: LatentSpaceConfig) -> dict[str, Any]:
    """Measures each kind of latents against the real images of the benchmark."""
    import numpy as np

    from fashion_dgm.experiments.latent_space.summary import compare_paths, summarise_decoded

    reference = parts.loc[parts["dataset"] == IN_DISTRIBUTION, "bits_per_dim"].to_numpy()
    return {
        "ood_set": config.ood_set,
        "confidence": config.confidence,
        "reference": {
            "images": len(reference),
            "bits_per_dim": float(reference.mean()),
            "quantiles": np.quantile(reference, [0.05, 0.95]).tolist(),
        },
        "variants": summarise_decoded(scores, reference, config),
        "paths": compare_paths(scores, config),
    }


def plot_paths(metrics: dict[str, Any]) -> Figure:
    """Draws bits/dim and norm along the ways between images."""
    low, high = metrics["reference"]["quantiles"]
    return figures.latent_paths(metrics["variants"], (low, high))
