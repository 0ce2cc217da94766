"""Discriminators and critics trained against frozen generators, and the gradients they give them on the way.

Of a gradient, its size and its noise are measured, under each loss.

References:
    Arjovsky and Bottou, Towards principled methods for training generative adversarial networks (2017), figures 2 and 3.
"""

# Derived in docs/theory/vanishing-gradients.md.

import copy
import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from fashion_dgm.checkpoint import Checkpoint, checkpoint_of
from fashion_dgm.config import AdversarialConfig, GANConfig, VanishingGradientsConfig, WGANConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.gans.networks import Generator
from fashion_dgm.gans.objectives import OBJECTIVES
from fashion_dgm.gans.steps import AdversarialStep, generator_arguments
from fashion_dgm.registry import build_model
from fashion_dgm.training.device import resolve_device
from fashion_dgm.training.seeds import derive_seed, generator

__all__ = [
    "chosen_epochs",
    "gradient_statistics",
    "measurement_steps",
    "summarise_gradients",
    "train_discriminators",
]

logger = logging.getLogger(__name__)

UNTRAINED = 0


def train_discriminators(
    images: ImageSet,
    snapshots: Mapping[int, Callable[[], Checkpoint]],
    study: VanishingGradientsConfig,
    gan: GANConfig,
    critic: WGANConfig,
    on_stage: Callable[[int, int, pd.DataFrame], None] = lambda epoch, seed, rows: None,
) -> pd.DataFrame:
    """Trains a discriminator and a critic from scratch against each generator, which learns nothing meanwhile.

    Both are trained as `gan` and `critic` train theirs, but for the length. The untrained generator is another one for
    each seed; a trained one is the same for all.

    Arguments:
        snapshots: trained generators by epoch.
        on_stage: called with the rows of each epoch and seed.

    Returns:
        A row for each epoch of the generator (0: untrained), seed, loss and step of the discriminator at which it was
        measured, with `norm`, `signal` and `variance` of the gradient and the discriminator's last `loss`.

    Raises:
        FashionDGMError: if there are fewer images than in a batch.
    """
    if study.batch_size > len(images):
        raise FashionDGMError(f"a batch of {study.batch_size} is larger than the set of {len(images)} images")
    stages: dict[int, Callable[[], Checkpoint] | None] = {UNTRAINED: None}
    stages |= {epoch: snapshots[epoch] for epoch in chosen_epochs(list(snapshots), study.snapshots)}
    tables = []
    for epoch, load in stages.items():
        for seed in range(study.seed, study.seed + study.seeds):
            made = _untrained(gan, seed) if load is None else load()
            measured = [
                *_measured(gan, "n_discriminator", images, made, study, seed),
                *_measured(critic, "n_critic", images, made, study, seed),
            ]
            rows = pd.DataFrame([{"epoch": epoch, "seed": seed, **row} for row in measured])
            last = rows[rows["step"] == study.steps].set_index("loss")["norm"]
            figures = "  ".join(f"{name} {norm:.3g}" for name, norm in last.items())
            logger.info("generator of epoch %d, seed %d: last norms  %s", epoch, seed, figures)
            on_stage(epoch, seed, rows)
            tables.append(rows)
    return pd.concat(tables, ignore_index=True)


def gradient_statistics(
    generator: nn.Module, discriminator: nn.Module, loss: Callable[[Tensor], Tensor], latents: Tensor
) -> dict[str, float]:
    """Measures the generator's gradient of `loss(discriminator(generator(z)))`; neither network learns anything.

    Arguments:
        loss: maps logits or scores `(B,)` to a scalar.
        latents: K batches, `(K, B, latent_dim)`.

    Returns:
        Of the gradient with respect to all parameters of the generator, over the batches: `norm`, the mean of its Euclidean
        norm; `signal`, the norm of the mean gradient; `variance`, the sum over the parameters of the unbiased variance.

    Raises:
        FashionDGMError: if there are fewer than two batches, which have no variance.
    """
    if len(latents) < 2:
        raise FashionDGMError("the variance of a gradient needs at least two batches")
    parameters = [parameter for parameter in generator.parameters() if parameter.requires_grad]
    gradients = []
    for batch in latents:
        parts = torch.autograd.grad(loss(discriminator(generator(batch))), parameters)
        # In double precision, for a gradient that has all but vanished is of interest here.
        gradients.append(torch.cat([part.flatten() for part in parts]).double())
    stacked = torch.stack(gradients)
    return {
        "norm": float(stacked.norm(dim=1).mean()),
        "signal": float(stacked.mean(dim=0).norm()),
        "variance": float(stacked.var(dim=0, unbiased=True).sum()),
    }


def chosen_epochs(epochs: list[int], count: int) -> list[int]:
    """Returns `count` of the epochs, evenly spaced, the last and (if there are several) the first among them."""
    ordered = sorted(epochs)
    places = np.linspace(len(ordered) - 1, 0, min(count, len(ordered))).round().astype(int)
    return sorted({ordered[place] for place in places})


def measurement_steps(steps: int) -> list[int]:
    """Returns 0, 1, 2, 5, 10, 20, 50 … up to `steps`, which is among them."""
    decades = range(math.ceil(math.log10(steps)) + 1)
    return sorted({0, steps, *(m * 10**d for d in decades for m in (1, 2, 5) if m * 10**d <= steps)})


def summarise_gradients(table: pd.DataFrame) -> dict[str, Any]:
    """Returns by epoch of the generator and by loss the change of the gradient while the discriminator learned.

    Returns:
        `{epoch: {loss: {name: {"mean", "sd"}}}}`, over seeds, in decades (powers of ten): `change` of the norm from its
        value after the first step to the last, `lost` from its largest value to the last, `variance_change` of the variance
        and `noise_change` of the variance over the squared mean as `change`; and `norm`, the logarithm of the last one.
    """
    found: dict[str, Any] = {}
    for (epoch, loss), group in table.groupby(["epoch", "loss"], sort=True):
        per_seed = [_decades(run.sort_values("step")) for _, run in group.groupby("seed")]
        found.setdefault(str(epoch), {})[str(loss)] = {
            name: {
                "mean": float(np.mean([run[name] for run in per_seed])),
                "sd": float(np.std([run[name] for run in per_seed], ddof=1)) if len(per_seed) > 1 else None,
            }
            for name in per_seed[0]
        }
    return found


def _decades(run: pd.DataFrame) -> dict[str, float]:
    # Below the smallest number a float32 gradient can hold, it is gone.
    tiny = 1e-45
    norm = np.log10(np.maximum(run["norm"].to_numpy(), tiny))
    variance = np.log10(np.maximum(run["variance"].to_numpy(), tiny**2))
    noise = variance - 2 * np.log10(np.maximum(run["signal"].to_numpy(), tiny))
    # Before its first step a discriminator has no gradient that could vanish.
    first = min(1, len(norm) - 1)
    return {
        "norm": float(norm[-1]),
        "change": float(norm[-1] - norm[first]),
        "lost": float(norm.max() - norm[-1]),
        "variance_change": float(variance[-1] - variance[first]),
        "noise_change": float(noise[-1] - noise[first]),
    }


def _untrained(gan: GANConfig, seed: int) -> Checkpoint:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "weights"))
        return checkpoint_of(Generator(**generator_arguments(gan)), "Generator", generator_arguments(gan))


def _measured(
    config: AdversarialConfig,
    turns: str,
    images: ImageSet,
    made: Checkpoint,
    study: VanishingGradientsConfig,
    seed: int,
) -> list[dict[str, Any]]:
    """Trains a discriminator against a frozen generator, and measures at `measurement_steps`."""
    device = resolve_device(study.device)
    frozen = build_model(made, "Generator")
    assert isinstance(frozen, Generator)
    changes: dict[str, Any] = {"latent_dim": frozen.latent_dim, "batch_size": study.batch_size, turns: study.steps + 1}
    changes |= {"ema_decay": None, "warmup": None}
    pixels = torch.from_numpy(images.images).to(device)
    order = np.random.default_rng(derive_seed(seed, "order"))
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(derive_seed(seed, "opponent"))
        # In single precision: a gradient that vanishes is to be seen vanishing, not rounded away.
        adversarial = AdversarialStep(config.model_copy(update=changes), device, torch.float32)
        # As in training, BatchNorm normalises by the batch.
        adversarial.generator = frozen.to(device).train()
        latents = torch.randn(
            study.gradient_batches,
            study.batch_size,
            frozen.latent_dim,
            generator=generator(seed, "gradients", device=device),
            device=device,
        )
        wanted, rows = set(measurement_steps(study.steps)), []
        last = math.nan
        for step in range(study.steps + 1):
            if step in wanted:
                rows += _statistics(adversarial, latents, step, last)
            if step < study.steps:
                index = torch.from_numpy(order.choice(len(pixels), study.batch_size, replace=False)).to(device)
                last = float(adversarial.step(pixels[index], index)["loss_discriminator"])
    return rows


def _statistics(adversarial: AdversarialStep, latents: Tensor, step: int, last: float) -> list[dict[str, Any]]:
    # On copies: passes of BatchNorm in training mode change its running statistics.
    made, discriminator = copy.deepcopy(adversarial.generator), copy.deepcopy(adversarial.discriminator)
    discriminator.requires_grad_(False)
    rows = []
    for name, one in OBJECTIVES.items():
        if one.discriminator is adversarial.objective.discriminator:
            found = gradient_statistics(made, discriminator, one.generator, latents)
            rows.append({"loss": name, "step": step, **found, "loss_discriminator": last})
    return rows
