"""The models that parameters name: a block `train_<model>` of `conf/base` is a model, and its pipeline.

Names are read here, and no values: those are Kedro's, which merges environments.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from kedro.config import MissingConfigException, OmegaConfigLoader

from fashion_dgm.pipelines.conf_files import ConfigurationError, explaining

__all__ = ["adversarial_models", "named_flows", "read_first"]

SOURCES = ["conf", str(Path(__file__).parents[3] / "conf")]
"""Folders or archives, of which the first that exists is read."""


def read_first(source: str) -> None:
    """Puts a folder or archive, such as the configuration of a run, before those that are read without it."""
    SOURCES.insert(0, source)
    _blocks.cache_clear()


def adversarial_models() -> dict[str, Mapping[str, Any]]:
    """Returns the blocks with an `objective`, by the model that they train."""
    return {model: block for model, block in _blocks().items() if "objective" in block}


def named_flows() -> list[str]:
    """Returns the flows whose block names their class: `model: {name: NICE, ...}`."""
    return [model for model, block in _blocks().items() if "name" in (block.get("model") or {})]


@cache
def _blocks() -> dict[str, Mapping[str, Any]]:
    for source in SOURCES:
        try:
            with explaining(Path(source)):
                parameters = OmegaConfigLoader(source, base_env="base", default_run_env="base")["parameters"]
        except MissingConfigException:
            continue
        for name, block in parameters.items():
            if name.startswith("train_") and not isinstance(block, Mapping):
                raise ConfigurationError(f"{name} in {source}/base holds no parameters with names, but {block!r}")
        # Kedro's loader reads the files in another order each time, and results are written in that of the models.
        return {
            name.removeprefix("train_"): block
            for name, block in sorted(parameters.items())
            if name.startswith("train_")
        }
    return {}
