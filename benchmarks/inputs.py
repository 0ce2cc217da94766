"""What the benchmarks run on: the project's own parameters and images."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from kedro.config import OmegaConfigLoader

from benchmarks.hardware import ROOT
from fashion_dgm.catalog.image_set import ImageSetDataset
from fashion_dgm.config import (
    ClassifierConfig,
    FlowTrainingConfig,
    GANConfig,
    MixtureFlowTrainingConfig,
    TrainingConfig,
    WGANConfig,
)
from fashion_dgm.data.images import ImageSet
from fashion_dgm.data.raw_sets import RAW_SETS, read_raw_set
from fashion_dgm.data.sources import fetch
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.settings import CONFIG_LOADER_ARGS

__all__ = ["BLOCKS", "RAW", "block", "training_images"]

RAW = ROOT / "data" / "01_raw"
TRAIN = ROOT / "data" / "05_model_input" / "train.npz"
BLOCKS: dict[str, type[TrainingConfig]] = {
    "train_classifier": ClassifierConfig,
    "train_flow": FlowTrainingConfig,
    "train_mixture_flow": MixtureFlowTrainingConfig,
    "train_gan": GANConfig,
    "train_wgan": WGANConfig,
}


def block(name: str, env: str = "base", **changes: Any) -> Any:
    """Returns the parameter block `name` of `conf/<env>` as its model, with changes, such as another device."""
    settings: dict[str, Any] = dict(CONFIG_LOADER_ARGS)
    parameters = OmegaConfigLoader(str(ROOT / "conf"), env=env, **settings)["parameters"]
    return BLOCKS[name](**parameters[name]).model_copy(update=changes)


@cache
def training_images() -> ImageSet:
    """Returns the training split if it was made, else the official training images, else noise of the same size."""
    if TRAIN.is_file():
        return ImageSetDataset(filepath=str(TRAIN)).load()
    try:
        return read_raw_set(fetch(RAW_SETS["fashion_mnist"], RAW / "fashion_mnist"), "fashion_mnist")["train"]
    except FashionDGMError:
        rng = np.random.default_rng(0)
        return ImageSet(rng.integers(0, 256, (48_000, 1, 28, 28), dtype=np.uint8), np.zeros(48_000, dtype=np.uint8))
