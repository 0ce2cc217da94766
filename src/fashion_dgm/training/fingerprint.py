"""What a training run depends on, so that a finished one is reused and a changed one is not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from fashion_dgm.config import TrainingConfig
from fashion_dgm.nested import flatten
from fashion_dgm.training.code_version import code_version
from fashion_dgm.training.distributed.ranks import world_size

__all__ = ["Fingerprint", "fingerprint_of"]


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
    config: TrainingConfig,
    data_sha256: str,
    code: tuple[str, ...],
    device: torch.device,
    precision: torch.dtype,
    evaluation: Mapping[str, str] | None = None,
) -> Fingerprint:
    """Returns the fingerprint of training with `config` on the data of that hash.

    Arguments:
        code: modules or definitions whose code, and all that it reaches, decides the outcome; see `code_version`.
        evaluation: hashes of what the epochs are evaluated with, by name.
    """
    parts = flatten(config.model_dump(mode="json", exclude={"epochs", "distributed"}))
    # Device and precision asked for may be "auto"; what counts is what they stand for here.
    resolved = "tf32" if config.precision == "tf32" else str(precision).removeprefix("torch.")
    parts |= {"device": device.type, "precision": resolved, "data": data_sha256}
    parts |= {f"evaluation.{name}": sha256 for name, sha256 in (evaluation or {}).items()}
    parts |= {"processes": world_size(), "code": code_version(*code), "torch": torch.__version__}
    return Fingerprint(parts)
