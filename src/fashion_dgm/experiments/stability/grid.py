"""The runs of the study: every model, as assigned and under the same drawn variations, with every seed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from pydantic import ValidationError

from fashion_dgm.config import (
    AdversarialConfig,
    GANConfig,
    PenalisedWGANConfig,
    SpectralGANConfig,
    StabilityConfig,
    VariationRangesConfig,
    WGANConfig,
)
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.training.seeds import derive_seed

__all__ = ["AS_ASSIGNED", "MODELS", "Plan", "Variation", "draw_variations", "plans"]

MODELS = ("gan", "gan_spectral", "wgan", "wgan_penalty")
AS_ASSIGNED = "as_assigned"

_STEPS = {"gan": "n_discriminator", "gan_spectral": "n_discriminator", "wgan": "n_critic", "wgan_penalty": "n_critic"}


@dataclass(frozen=True)
class Variation:
    """Training settings drawn at random.

    Arguments:
        learning_rate_factor: of both networks.
        discriminator_steps: of the discriminator or critic for one of the generator.
        normalised: whether the networks keep their normalisation.
    """

    learning_rate_factor: float
    discriminator_steps: int
    normalised: bool


@dataclass(frozen=True)
class Plan:
    """One run to come.

    Arguments:
        variation: `as_assigned`, or `variation_1` and so on, which are others for every seed.
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

    @property
    def discriminator_steps(self) -> int:
        """Steps of the discriminator or critic for one of the generator."""
        return int(getattr(self.config, _STEPS[self.model]))


def plans(
    study: StabilityConfig,
    gan: GANConfig,
    wgan: WGANConfig,
    gan_spectral: SpectralGANConfig,
    wgan_penalty: PenalisedWGANConfig,
) -> list[Plan]:
    """Returns the runs of a study, seed by seed, so that one interrupted has whole seeds to compare.

    Every run takes the same number of generator steps.

    Arguments:
        gan: the assignment's GAN; the study sets its length, size and seed.
        wgan: the assignment's WGAN.
        gan_spectral: what puts spectral normalisation into the GAN's discriminator.
        wgan_penalty: what puts a gradient penalty in place of the WGAN's clip.

    Raises:
        FashionDGMError: if some model cannot be trained so.
    """
    bases: dict[str, tuple[type[AdversarialConfig], dict[str, Any]]] = {
        "gan": (GANConfig, gan.model_dump()),
        "gan_spectral": (GANConfig, {**gan.model_dump(), **gan_spectral.model_dump()}),
        "wgan": (WGANConfig, wgan.model_dump()),
        "wgan_penalty": (WGANConfig, wgan_penalty.applied_to(wgan).model_dump()),
    }
    made = []
    for seed in range(study.seed, study.seed + study.seeds):
        drawn = draw_variations(study.ranges, study.variations, seed)
        for (name, variation), model in product({AS_ASSIGNED: None, **drawn}.items(), MODELS):
            made.append(Plan(model, name, seed, _configured(*bases[model], model, variation, study, seed)))
    return made


def draw_variations(ranges: VariationRangesConfig, count: int, seed: int) -> dict[str, Variation]:
    """Draws the variations of a seed, by name; the same for every model."""
    rng = np.random.default_rng(derive_seed(seed, "stability", "variations"))
    low, high = (math.log(factor) for factor in ranges.learning_rate_factor)
    fewest, most = ranges.discriminator_steps
    return {
        f"variation_{number}": Variation(
            learning_rate_factor=math.exp(rng.uniform(low, high)),
            discriminator_steps=int(rng.integers(fewest, most, endpoint=True)),
            normalised=bool(rng.uniform() >= ranges.unnormalised),
        )
        for number in range(1, count + 1)
    }


def _configured(
    kind: type[AdversarialConfig],
    base: Mapping[str, Any],
    model: str,
    variation: Variation | None,
    study: StabilityConfig,
    seed: int,
) -> AdversarialConfig:
    sizes = {"epochs", "batch_size", "width", "snapshot_every", "device"}
    values = {**base, **study.model_dump(include=sizes), "seed": seed, "distributed": {}}
    if variation is not None:
        for name in ("optimizer", "generator_optimizer", "discriminator_optimizer"):
            if base[name]:
                rate = base[name]["learning_rate"] * variation.learning_rate_factor
                values[name] = {**base[name], "learning_rate": rate}
        values |= {_STEPS[model]: variation.discriminator_steps}
        if not variation.normalised:
            values |= {"normalisation": dict.fromkeys(("generator", "discriminator"), "none")}
    values["images_per_epoch"] = study.generator_steps * values[_STEPS[model]] * study.batch_size
    try:
        return kind(**values)
    except ValidationError as error:
        reasons = "; ".join(entry["msg"] for entry in error.errors())
        raise FashionDGMError(f"the stability study cannot train {model} so: {reasons}") from error
