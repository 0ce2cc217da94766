"""What the benchmarks run on: the project's own parameters and images, read without Kedro."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch import Tensor

from benchmarks.hardware import ROOT
from fashion_dgm.config import (
    ClassifierConfig,
    DataSplitConfig,
    FIDConfig,
    FlowTrainingConfig,
    GANConfig,
    MixtureFlowTrainingConfig,
    TrainingConfig,
    WGANConfig,
)
from fashion_dgm.config.base import Config
from fashion_dgm.data.fetching import fetch
from fashion_dgm.data.images import ImageSet
from fashion_dgm.data.raw_sets import RAW_SETS, read_raw_set
from fashion_dgm.data.split import stratified_split
from fashion_dgm.errors import FashionDGMError

__all__ = ["BLOCKS", "RAW", "SPLITS", "TRAININGS", "block", "parameters", "splits", "training_batch", "training_images"]

RAW = ROOT / "data" / "01_raw"
SPLITS = ROOT / "data" / "05_model_input"
TRAININGS: dict[str, type[TrainingConfig]] = {
    "train_classifier": ClassifierConfig,
    "train_flow": FlowTrainingConfig,
    "train_mixture_flow": MixtureFlowTrainingConfig,
    "train_gan": GANConfig,
    "train_wgan": WGANConfig,
    "train_wgan_gp": WGANConfig,
}
BLOCKS: dict[str, type[Config]] = {"data_split": DataSplitConfig, "fid_eval": FIDConfig, **TRAININGS}


def block(name: str, env: str = "base", **changes: Any) -> Any:
    """Returns the parameter block `name` of `conf/<env>` as its model, with changes, such as another device."""
    return BLOCKS[name](**parameters(env)[name]).model_copy(update=changes)


@cache
def parameters(env: str) -> dict[str, Any]:
    """Returns all parameters of an environment, laid over those of `conf/base`, as Kedro reads them."""
    values = _merged("parameters*.yml", env)
    given = _merged("globals.yml", env)
    return {name: _resolved(value, given) for name, value in values.items()}


def splits(folder: Path = SPLITS) -> dict[str, ImageSet]:
    """Returns `train`, `test` and `benchmark` from the files of `data_split`, else from the raw files as it makes them.

    Raises:
        FashionDGMError: if there are neither.
    """
    paths = {name: folder / f"{name}.npz" for name in ("train", "test", "benchmark")}
    if all(path.is_file() for path in paths.values()):
        return {name: _read(path) for name, path in paths.items()}
    raw = read_raw_set(fetch(RAW_SETS["fashion_mnist"], RAW / "fashion_mnist"), "fashion_mnist")
    config = block("data_split")
    train, test = stratified_split(raw["train"].labels, config.test_fraction, config.seed)
    return {"train": raw["train"].take(train), "test": raw["train"].take(test), "benchmark": raw["benchmark"]}


@cache
def training_images() -> ImageSet:
    """Returns the training split if it can be made, else noise of the same size."""
    try:
        return splits()["train"]
    except FashionDGMError:
        rng = np.random.default_rng(0)
        return ImageSet(rng.integers(0, 256, (48_000, 1, 28, 28), dtype=np.uint8), np.zeros(48_000, dtype=np.uint8))


def training_batch(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Returns training images on the device, uint8 `(size, 1, 28, 28)`, and their labels, int64 `(size,)`."""
    part = training_images().take(slice(0, size))
    return torch.from_numpy(part.images).to(device), torch.from_numpy(part.labels).to(device).long()


def _read(path: Path) -> ImageSet:
    with np.load(path, allow_pickle=False) as arrays:
        return ImageSet(arrays["images"], arrays["labels"], str(arrays["name"]))


def _merged(pattern: str, env: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for folder in dict.fromkeys(("base", env)):
        for path in sorted((ROOT / "conf" / folder).glob(pattern)):
            found = _laid_over(found, yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    return found


def _laid_over(below: Any, above: Any) -> Any:
    """Block by block; anything else is replaced."""
    if not (isinstance(below, Mapping) and isinstance(above, Mapping)):
        return above
    return {**below, **{name: _laid_over(below.get(name), value) for name, value in above.items()}}


def _resolved(value: Any, given: Mapping[str, Any]) -> Any:
    """Puts the globals where `${globals:NAME}` stands."""
    if isinstance(value, Mapping):
        return {name: _resolved(entry, given) for name, entry in value.items()}
    if isinstance(value, str) and (match := re.fullmatch(r"\$\{globals:(\w+)\}", value)):
        return given[match[1]]
    return value
