"""Nodes of `likelihood_decomposition`."""

import itertools
from collections.abc import Mapping
from typing import Any

from fashion_dgm.config import LikelihoodDecompositionConfig
from fashion_dgm.data.images import IN_DISTRIBUTION, ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.pipelines.late import Checkpoint, DataFrame, Figure, figures

__all__ = [
    "check_second_order",
    "decompose_likelihood",
    "explain_likelihood",
    "perturb_images",
    "plot_complexity",
    "plot_gap",
    "plot_layer_trace",
    "plot_layers",
    "plot_perturbations",
]


def decompose_likelihood(
    flow: Checkpoint, benchmark: ImageSet, ood_sets: Mapping[str, ImageSet], config: LikelihoodDecompositionConfig
) -> tuple[DataFrame, DataFrame]:
    """Decomposes the bits/dim of each image, and measures its complexity."""
    import pandas as pd
    import torch

    from fashion_dgm.experiments.likelihood import decompose
    from fashion_dgm.experiments.likelihood.tables import image_table, layer_table
    from fashion_dgm.registry import load_flow
    from fashion_dgm.training.device import resolve_device, resolve_precision

    model = load_flow(flow, config.device)
    precision = resolve_precision(config.precision, resolve_device(config.device))
    images, layers = [], []
    for name, image_set in itertools.chain([(IN_DISTRIBUTION, benchmark)], ood_sets.items()):
        pixels = image_set.images[: config.images]
        found = decompose(model, torch.from_numpy(pixels), config.batch_size, config.seed, precision)
        images.append(image_table(name, found, pixels))
        layers.append(layer_table(name, found))
    return pd.concat(images, ignore_index=True), pd.concat(layers, ignore_index=True)


def perturb_images(
    flow: Checkpoint, benchmark: ImageSet, config: LikelihoodDecompositionConfig
) -> tuple[DataFrame, Figure]:
    """Scores images of the benchmark made darker, flatter and smoother, and draws one of them."""
    import pandas as pd
    import torch

    from fashion_dgm.data.perturb import PERTURBATIONS
    from fashion_dgm.flows.likelihood import bits_per_dim_of
    from fashion_dgm.registry import load_flow
    from fashion_dgm.training.device import resolve_device, resolve_precision

    model = load_flow(flow, config.device)
    precision = resolve_precision(config.precision, resolve_device(config.device))
    pixels = benchmark.images[: config.perturbations.images]
    changed = {("none", 0.0): pixels}
    for name, (perturb, _) in PERTURBATIONS.items():
        changed |= {(name, level): perturb(pixels, level) for level in getattr(config.perturbations, name)}
    tables, examples = [], []
    for (name, level), images in changed.items():
        scores = bits_per_dim_of(model, torch.from_numpy(images), config.batch_size, config.seed, precision)
        rows = {"perturbation": name, "level": level, "index": range(len(images)), "bits_per_dim": scores}
        tables.append(pd.DataFrame(rows))
        examples.append((name, level, images[0], float(scores[0])))
    return pd.concat(tables, ignore_index=True), figures.perturbation_examples(examples)


def check_second_order(
    flow: Checkpoint, benchmark: ImageSet, ood_sets: Mapping[str, ImageSet], config: LikelihoodDecompositionConfig
) -> dict[str, Any]:
    """Compares the second-order argument of Nalisnick et al. with this flow on these images."""
    import torch

    from fashion_dgm.data.images import choose_set
    from fashion_dgm.experiments.likelihood.second_order import pixel_moments, second_order_gap
    from fashion_dgm.registry import load_flow

    ood = choose_set(ood_sets, config.ood_set)
    if len(ood) < 2:
        raise FashionDGMError(f"{config.ood_set} has one image; likelihood_decomposition.ood_set needs at least 2")
    ours, theirs = (torch.from_numpy(s.images[: config.second_order_images]) for s in (benchmark, ood))
    return {
        "images": [len(ours), len(theirs)],
        "moments": pixel_moments(benchmark.images, ood.images),
        "gaps": second_order_gap(
            load_flow(flow, config.device), ours, theirs, config.perturbations.spread, config.batch_size, config.seed
        ),
    }


def explain_likelihood(
    parts: DataFrame,
    layers: DataFrame,
    perturbed: DataFrame,
    second_order: dict[str, Any],
    sets_summary: dict[str, Any],
    config: LikelihoodDecompositionConfig,
) -> dict[str, Any]:
    """Measures which terms, which layers and which images make the gap between the sets."""
    from fashion_dgm.data.ood import partners_of
    from fashion_dgm.experiments.likelihood import tables

    partners = {name: partners_of(sets_summary, name) for name in sets_summary["sets"]}
    return {
        "in_distribution": IN_DISTRIBUTION,
        "ood_set": config.ood_set,
        "confidence": config.confidence,
        "bootstrap": config.bootstrap,
        **tables.explain_sets(parts, IN_DISTRIBUTION, partners, config),
        "layers": tables.compare_layers(layers, IN_DISTRIBUTION, config.ood_set),
        "perturbations": tables.perturbation_rows(perturbed, config),
        "second_order": second_order,
    }


def plot_gap(metrics: dict[str, Any]) -> Figure:
    """Draws which parts make each set's gap."""
    return figures.likelihood_gap({name: entry["gap"] for name, entry in metrics["sets"].items() if "gap" in entry})


def plot_layers(metrics: dict[str, Any]) -> Figure:
    """Draws bits/dim had the flow ended after each layer."""
    return figures.likelihood_by_layer(metrics["layers"], metrics["in_distribution"], metrics["ood_set"])


def plot_complexity(parts: DataFrame, metrics: dict[str, Any]) -> Figure:
    """Draws bits/dim over the length of a PNG file."""
    line = metrics["sets"][metrics["ood_set"]]["line"]["png_bits"]
    return figures.likelihood_complexity(parts, IN_DISTRIBUTION, (line["slope"], line["intercept"]))


def plot_perturbations(metrics: dict[str, Any]) -> Figure:
    """Draws what brightness, spread and blur do to bits/dim and AUROC."""
    return figures.perturbation_curves(metrics["perturbations"])


def plot_layer_trace(
    flow: Checkpoint, benchmark: ImageSet, ood_sets: Mapping[str, ImageSet], config: LikelihoodDecompositionConfig
) -> Figure:
    """Draws an in-distribution and an OOD image after each coupling."""
    import torch

    from fashion_dgm.data.images import choose_set
    from fashion_dgm.experiments.likelihood.trace import trace
    from fashion_dgm.flows.preprocessing import dequantize
    from fashion_dgm.registry import load_flow
    from fashion_dgm.reporting.wording import dataset_name

    ood = choose_set(ood_sets, config.ood_set)
    model = load_flow(flow, "cpu")
    pixels = torch.from_numpy(benchmark.images[:1]), torch.from_numpy(ood.images[:1])
    generator = torch.Generator().manual_seed(config.seed)
    with torch.no_grad():
        traces = [trace(model, dequantize(image, generator)) for image in pixels]
    names = dataset_name(IN_DISTRIBUTION), dataset_name(config.ood_set)
    return figures.layer_trace(
        {name: (x.numpy(), traced) for name, x, traced in zip(names, pixels, traces, strict=True)}
    )
