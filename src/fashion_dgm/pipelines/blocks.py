"""The models that parameters name: a block `train_<model>` of `conf/base` is a model, and its pipeline.

Names are read here, and no values: those are Kedro's, which merges environments.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

__all__ = ["adversarial_models", "named_flows"]

PROJECTS = (Path(__file__).parents[3], Path.cwd())
"""The project that this package is the source of; where it is installed without one, the working directory."""


def adversarial_models() -> dict[str, Mapping[str, Any]]:
    """Returns the blocks with an `objective`, by the model that they train."""
    return {model: block for model, block in _blocks().items() if "objective" in block}


def named_flows() -> list[str]:
    """Returns the flows whose block names their class: `model: {name: NICE, ...}`."""
    return [model for model, block in _blocks().items() if "name" in block.get("model", {})]


@cache
def _blocks() -> dict[str, Mapping[str, Any]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = {}
    base = next((project / "conf" / "base" for project in PROJECTS if (project / "conf").is_dir()), Path())
    for path in sorted(base.glob("parameters*.yml")):
        found |= yaml.load(path.read_text(encoding="utf-8"), loader) or {}
    return {name.removeprefix("train_"): block for name, block in found.items() if name.startswith("train_")}
