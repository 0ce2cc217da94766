"""Evaluation of a trained Residual Flow: likelihoods with their standard errors, its inverse, its Lipschitz bound."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashion_dgm.checkpoint import Checkpoint
from fashion_dgm.config import ResidualFlowEvaluationConfig, SeriesConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.flows.flow import Flow
from fashion_dgm.flows.likelihood import bits_per_dim_of
from fashion_dgm.flows.lipschitz import LipschitzLayer, measured_norm
from fashion_dgm.flows.residual_flow import ResidualFlow
from fashion_dgm.flows.training import reconstruction_error
from fashion_dgm.registry import build_model
from fashion_dgm.training.device import resolve_device

__all__ = ["describe", "estimated_likelihood", "evaluate", "inverse_report", "largest_norms"]


RECONSTRUCTED = 200


def evaluate(
    checkpoint: Checkpoint, splits: Mapping[str, ImageSet], config: ResidualFlowEvaluationConfig
) -> dict[str, Any]:
    """Evaluates a trained Residual Flow.

    Arguments:
        splits: `train`, `test` and others by name; of train, no more images are taken than test has.

    Returns:
        `{split}_bits_per_dim`, `{split}_images`, `{split}_probe_error` and `{split}_image_error` of each split, the
        size of the flow, the estimator in words and whether it is unbiased, the error and iterations of the inverse,
        the largest norms.

    Raises:
        CheckpointError: if the checkpoint holds no Residual Flow.
    """
    device = resolve_device(config.device)
    flow = build_model(checkpoint, "ResidualFlow").to(device)
    assert isinstance(flow, ResidualFlow)
    metrics: dict[str, Any] = {
        "epochs": checkpoint.training.get("epoch"),
        "images_seen": checkpoint.training.get("images"),
        "parameters": sum(parameter.numel() for parameter in flow.parameters()),
        "estimator": describe(flow.config.evaluation),
        "unbiased": flow.config.evaluation.roulette != "none",
        "training_unbiased": flow.config.training.roulette != "none",
        "draws": config.draws,
    }
    for name, images in splits.items():
        pixels = torch.from_numpy(images.images[: min(config.images or len(images), len(splits["test"]))])
        found = estimated_likelihood(flow, pixels, config.batch_size, config.seed, config.draws)
        metrics |= {f"{name}_{key}": value for key, value in found.items()}
    metrics |= inverse_report(flow, torch.from_numpy(splits["test"].images[:RECONSTRUCTED]), config.seed)
    layer, block = largest_norms(flow)
    return metrics | {
        "lipschitz_coefficient": flow.config.lipschitz_coefficient,
        "largest_layer_norm": layer,
        "largest_block_bound": block,
    }


def describe(config: SeriesConfig) -> str:
    """Returns an estimator of log-determinants in words."""
    terms = f"{config.exact_terms} terms of the series"
    if config.roulette != "none":
        terms += f" and {config.roulette} roulette from there (mean {config.mean_terms:g})"
    return f"{terms}, {config.probes} {config.probe_kind} probe{'' if config.probes == 1 else 's'} an image"


def estimated_likelihood(flow: Flow, images: Tensor, batch_size: int, seed: int, draws: int) -> dict[str, Any]:
    """Estimates the bits per dimension of `images` by several draws of probes, under one of dequantisation noise.

    Arguments:
        images: uint8 in 0..255, `(N, C, H, W)`.
        draws: at least 2.

    Returns:
        The number of `images`; `bits_per_dim`, the mean over images and draws; and its standard errors `probe_error`, from
        the probes (what another draw of them would change), and `image_error`, from the images (what others of the same kind
        would change).

    Raises:
        FashionDGMError: as `bits_per_dim_of`.
    """
    bits = np.stack([bits_per_dim_of(flow, images, batch_size, seed, torch.float32, draw) for draw in range(draws)])
    return {
        "images": len(images),
        "bits_per_dim": float(bits.mean()),
        "probe_error": _probe_error(bits, batch_size),
        "image_error": float(bits.mean(0).std(ddof=1) / math.sqrt(len(images))) if len(images) > 1 else math.nan,
    }


def _probe_error(bits: NDArray[np.float64], batch_size: int) -> float:
    """The standard error of the mean of `(draws, N)`, from how the mean of each batch differs from draw to draw.

    Batches are independent of one another; images within a batch share the number of terms of the roulette.
    """
    draws, count = bits.shape
    starts = range(0, count, batch_size)
    sums = np.stack([bits[:, start : start + batch_size].sum(1) for start in starts], axis=1)  # draws x batches
    return float(math.sqrt(sums.var(axis=0, ddof=1).sum() / draws) / count)


def inverse_report(flow: ResidualFlow, images: Tensor, seed: int) -> dict[str, Any]:
    """Sends uint8 images `(N, C, H, W)` through the flow and back by the fixed-point iteration.

    Returns:
        `reconstruction_error`, `max |inverse(forward(x)) - x|` in units of `[0, 1]`; `inverse_iterations` and
        `inverse_iterations_most`, mean and largest number over the residual blocks.
    """
    error = reconstruction_error(flow, images, seed)
    iterations = [block.iterations for block in flow.blocks]
    return {
        "reconstruction_error": error,
        "inverse_iterations": sum(iterations) / len(iterations),
        "inverse_iterations_most": max(iterations),
    }


def largest_norms(flow: ResidualFlow) -> tuple[float, float]:
    """Returns the largest spectral norm of a layer, and the largest product of them in a residual block.

    Norms are measured anew (`measured_norm`). The activations have Lipschitz constants of at most 1, so the product
    bounds that of a block.
    """
    norms = [
        [measured_norm(layer) for layer in block.modules() if isinstance(layer, LipschitzLayer)]
        for block in flow.blocks
    ]
    return max(max(block) for block in norms), max(math.prod(block) for block in norms)
