"""What a training run depends on, so that a finished one is reused and a changed one is not."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from fashion_dgm.config import TrainingConfig
from fashion_dgm.nested import flatten
from fashion_dgm.training.distributed import world_size

__all__ = ["Fingerprint", "code_version", "fingerprint_of"]


@dataclass(frozen=True)
class Fingerprint:
    """Names and values of everything that decides a run's outcome, but for the number of epochs.

    Epochs are left out because no schedule here depends on them: more epochs continue the same run.
    """

    parts: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that stand for `parts`."""
        text = json.dumps(self.parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def changed_from(self, other: Mapping[str, Any]) -> list[str]:
        """What differs from `other`, each as `name: old -> new`."""
        names = sorted(set(self.parts) | set(other))
        return [
            f"{name}: {other.get(name, '(none)')} -> {self.parts.get(name, '(none)')}"
            for name in names
            if self.parts.get(name) != other.get(name)
        ]


def fingerprint_of(
    config: TrainingConfig, data_sha256: str, packages: tuple[str, ...], device: torch.device, precision: torch.dtype
) -> Fingerprint:
    """Returns the fingerprint of training with `config` on the data of that hash, by the code of `packages`."""
    parts = flatten(config.model_dump(mode="json", exclude={"epochs", "distributed"}))
    # The device asked for may be "auto"; what counts is the one it came to.
    parts |= {"device": device.type, "precision": str(precision).removeprefix("torch."), "data": data_sha256}
    parts |= {"processes": world_size(), "code": code_version(*packages), "torch": torch.__version__}
    return Fingerprint(parts)


@cache
def code_version(*packages: str) -> str:
    """Returns a hash of those packages and modules as parsed, so that comments and layout don't count."""
    digest = hashlib.sha256()
    for package in packages:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        folders = spec.submodule_search_locations
        paths = (
            [path for folder in folders for path in Path(folder).glob("*.py")] if folders else [Path(str(spec.origin))]
        )
        for path in sorted(paths):
            digest.update(ast.dump(ast.parse(path.read_text(encoding="utf-8"))).encode())
    return digest.hexdigest()[:12]
