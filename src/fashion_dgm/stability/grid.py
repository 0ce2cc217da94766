"""The runs of the study: every model under every variation and seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from pydantic import ValidationError

from fashion_dgm.config import (
    AdversarialConfig,
    GANConfig,
    PenalisedWGANConfig,
    StabilityConfig,
    VariationConfig,
    WGANConfig,
)
from fashion_dgm.errors import FashionDGMError

__all__ = ["MODELS", "Plan", "plans"]

MODELS = ("gan", "wgan", "wgan_penalty")


@dataclass(frozen=True)
class Plan:
    """One run to come.

    Arguments:
        config: all that its training depends on.
    """

    model: str
    variation: str
    seed: int
    config: AdversarialConfig

    @property
    def name(self) -> str:
        """For people, and for its folder."""
        return f"{self.model}-{self.variation}-seed-{self.seed}"


def plans(study: StabilityConfig, gan: GANConfig, wgan: WGANConfig, wgan_penalty: PenalisedWGANConfig) -> list[Plan]:
    """Returns the runs of a study, seed by seed, so that one interrupted has whole seeds to compare.

    Arguments:
        gan: the assignment's GAN; the study sets its length, size and seed.
        wgan: the assignment's WGAN.
        wgan_penalty: what puts a gradient penalty in place of its clip.
    """
    bases: dict[str, tuple[type[AdversarialConfig], dict[str, Any]]] = {
        "gan": (GANConfig, gan.model_dump()),
        "wgan": (WGANConfig, wgan.model_dump()),
        "wgan_penalty": (WGANConfig, _laid_over(wgan.model_dump(), wgan_penalty.model_dump())),
    }
    seeds = range(study.seed, study.seed + study.seeds)
    return [
        Plan(model, name, seed, _varied(*bases[model], model, variation, study, seed))
        for seed, (name, variation), model in product(seeds, study.variations.items(), MODELS)
    ]


def _varied(
    kind: type[AdversarialConfig],
    base: dict[str, Any],
    model: str,
    variation: VariationConfig,
    study: StabilityConfig,
    seed: int,
) -> AdversarialConfig:
    sizes = {"epochs", "images_per_epoch", "batch_size", "width", "snapshot_every", "device"}
    values = _laid_over(base, {**study.model_dump(include=sizes), "seed": seed, "distributed": {}})
    rate = base["optimizer"]["learning_rate"] * variation.learning_rate_factor
    values["optimizer"] = {**base["optimizer"], "learning_rate": rate}
    if variation.normalisation is not None:
        values["normalisation"] = dict.fromkeys(("generator", "discriminator"), variation.normalisation)
    for named, steps in variation.discriminator_steps.items():
        if named == model:
            values["n_discriminator" if model == "gan" else "n_critic"] = steps
    try:
        return kind(**values)
    except ValidationError as error:
        reasons = "; ".join(entry["msg"] for entry in error.errors())
        raise FashionDGMError(f"the stability study cannot train {model} so: {reasons}") from error


def _laid_over(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Blocks are replaced whole: one optimizer has no betas of another."""
    return {**base, **changes}
