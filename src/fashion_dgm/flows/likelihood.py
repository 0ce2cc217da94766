"""Bits per dimension of many images: under one draw of dequantisation noise, and by importance sampling over many."""

# Derived in docs/theory/bits-per-dim.md, docs/theory/change-of-variables.md and docs/theory/likelihood-ood.md.

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashion_dgm.config import DiscreteLikelihoodConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.bijection import evaluating
from fashion_dgm.flows.flow import Flow
from fashion_dgm.flows.preprocessing import LEVELS, dequantize
from fashion_dgm.training.seeds import generator

__all__ = [
    "DiscreteLikelihood",
    "bits_per_dim_of",
    "discrete_likelihood",
    "importance_bound",
    "log_probs_under_noise",
    "mean_bits_per_dim",
]


@torch.no_grad()
def bits_per_dim_of(
    flow: Flow,
    images: Tensor,
    batch_size: int,
    seed: int,
    precision: torch.dtype,
    probes: int = 0,
) -> NDArray[np.float64]:
    """Returns the bits per dimension of each image, in evaluation mode, batch by batch.

    The noise is drawn on the CPU in the order of the images, so that it depends neither on the batch size nor on the
    device. The flow is left in the mode it was in.

    Arguments:
        flow: the model, on any device.
        images: uint8 in 0..255, `(N, C, H, W)`, on any device.
        batch_size: images at once.
        seed: of the dequantisation noise.
        precision: float32, or bfloat16 for the networks in the couplings.
        probes: which draw of probes, where the flow estimates its log-determinant; then the estimate of an image, unlike
            its noise, depends on the batch it is in.

    Returns:
        float64, `(N,)`.

    Raises:
        FashionDGMError: if there are no images, the batch size is below 1, or images don't fit the flow.
    """
    if len(images) == 0 or batch_size < 1:
        raise FashionDGMError(
            f"a likelihood needs at least one image and a batch size of at least 1, not {len(images)} and {batch_size}"
        )
    device = next(flow.parameters()).device
    noise = torch.Generator().manual_seed(seed)
    estimator = generator(seed, "probes", probes)
    with evaluating(flow), torch.autocast(device.type, torch.bfloat16, enabled=precision == torch.bfloat16):
        parts = [flow.bits_per_dim(batch.to(device), noise, estimator) for batch in images.split(batch_size)]
    return torch.cat(parts).cpu().double().numpy()


def mean_bits_per_dim(flow: Flow, images: Tensor, batch_size: int, seed: int, precision: torch.dtype) -> float:
    """Returns the mean of `bits_per_dim_of` over the images, summed in float64."""
    return float(bits_per_dim_of(flow, images, batch_size, seed, precision).mean())


@dataclass(frozen=True, eq=False)
class DiscreteLikelihood:
    """Upper bounds on the bits per dimension of 8-bit images, from K draws of noise for each.

    Arguments:
        draws: the numbers K, rising.
        bits_per_dim: the bound of each image for each K, `(len(draws), N)`; it falls as K rises, in expectation towards the
            bits of the discrete likelihood.
        effective_draws: of each image, `1 / sum w^2` of the normalised weights of the largest K, between 1 and K, `(N,)`.
            Near 1, one draw outweighs all others and the bound still falls with K.
    """

    draws: tuple[int, ...]
    bits_per_dim: NDArray[np.float64]
    effective_draws: NDArray[np.float64]

    def summary(self) -> dict[str, Any]:
        """Returns means over the images, each with its standard error over them where there are 2 images at least.

        Returns:
            `images`, `bits_per_dim` and `bits_per_dim_error` by K; `gain` and `gain_error`, by how much the bound of each K
            is below that of the first, image by image; `effective_draws`.
        """
        gains = self.bits_per_dim[0] - self.bits_per_dim

        def by_draws(values: NDArray[np.float64]) -> dict[str, float]:
            return {str(k): float(value) for k, value in zip(self.draws, values, strict=True)}

        def with_error(name: str, values: NDArray[np.float64]) -> dict[str, Any]:
            count = values.shape[1]
            errors = {f"{name}_error": by_draws(values.std(1, ddof=1) / math.sqrt(count))} if count > 1 else {}
            return {name: by_draws(values.mean(1)), **errors}

        return {
            "images": self.bits_per_dim.shape[1],
            **with_error("bits_per_dim", self.bits_per_dim),
            **with_error("gain", gains),
            "effective_draws": float(self.effective_draws.mean()),
        }


def discrete_likelihood(flow: Flow, images: Tensor, config: DiscreteLikelihoodConfig) -> DiscreteLikelihood:
    """Bounds the bits per dimension of 8-bit images under a flow, in evaluation mode and float32.

    The noise comes from the seed, image by image, and depends on neither the batch size nor the device; torch's default
    generator is left alone.

    Arguments:
        flow: on any device; it is left in the mode it was in.
        images: uint8 in 0..255, `(N, C, H, W)`.
        config: how many images, from the first, and draws.

    Raises:
        FashionDGMError: if there are no images, or they don't fit the flow.
    """
    chosen, most = images[: config.images], config.draws[-1]
    first = log_probs_under_noise(flow, chosen, most, config.batch_size, config.seed)
    # The weights of an estimate must not come from the same probes as what they weigh: what is high by chance would count.
    second = log_probs_under_noise(flow, chosen, most, config.batch_size, config.seed, 1) if flow.estimated else first
    pairs = [(first, second), (second, first)] if flow.estimated else [(first, first)]
    log_probability = torch.stack(
        [torch.stack([importance_bound(value, k, weigh) for value, weigh in pairs]).mean(0) for k in config.draws]
    )
    weights = first.softmax(1)
    per_bit = flow.dimensions * math.log(2)
    return DiscreteLikelihood(
        config.draws,
        (math.log2(LEVELS) - log_probability / per_bit).numpy(),
        (1 / weights.square().sum(1)).numpy(),
    )


def importance_bound(log_probs: Tensor, draws: int, log_weights: Tensor | None = None) -> Tensor:
    """Returns `log (1/K) sum_k p(x + u_k)` of each image, averaged over as many groups of K draws as there are.

    In general, `sum_k q_k (log p(x + u_k) - log (K q_k))` with `q` the softmax of `log_weights` over the group, which is the
    same for `log_weights = log_probs` and less otherwise. So, where `log_probs` are estimates without bias and `log_weights`
    others that are independent of them, its expectation is still a lower bound.

    Burda et al., 2016, "Importance weighted autoencoders", theorem 1.

    Arguments:
        log_probs: log-densities of an image under draws of noise, nats, `(N, M)`.
        draws: K, at most M.
        log_weights: `(N, M)`; `log_probs` themselves if None.

    Returns:
        Nats, `(N,)`.

    Raises:
        FashionDGMError: if there are fewer than K draws.
    """
    groups = log_probs.shape[1] // draws
    if draws < 1 or groups < 1:
        raise FashionDGMError(f"a mean over {draws} draws cannot be taken of {log_probs.shape[1]}")
    weights = log_probs if log_weights is None else log_weights
    values, logits = (each[:, : groups * draws].unflatten(1, (groups, draws)) for each in (log_probs, weights))
    log_q = logits.log_softmax(2)
    return (log_q.exp() * (values - log_q - math.log(draws))).sum(2).mean(1)


@torch.no_grad()
def log_probs_under_noise(
    flow: Flow, images: Tensor, draws: int, batch_size: int, seed: int, probes: int = 0
) -> Tensor:
    """Returns the log-density of each image in `[0, 1]` under `draws` draws of uniform noise, nats, float64, `(N, draws)`.

    Arguments:
        images: uint8 in 0..255, `(N, C, H, W)`.
        batch_size: noisy images at once.
        seed: of the noise.
        probes: which draw of probes, where the flow estimates its log-determinant.

    Raises:
        FashionDGMError: if there are no images, or they don't fit the flow.
    """
    if len(images) == 0:
        raise FashionDGMError("a likelihood needs at least one image")
    device = next(flow.parameters()).device
    noise, estimator = generator(seed, "dequantize"), generator(seed, "probes", probes)
    with evaluating(flow):
        parts = [
            flow.log_prob(dequantize(images[index], noise).to(device), estimator).double().cpu()
            for index in torch.arange(len(images)).repeat_interleave(draws).split(batch_size)
        ]
    return torch.cat(parts).view(len(images), draws)
