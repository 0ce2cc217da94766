"""What a training or an evaluation depends on, so that an unfinished one goes on and a changed one starts anew."""

from collections.abc import Mapping
from typing import Any

import torch

from fashion_dgm.config import Config, TrainingConfig
from fashion_dgm.nested import flatten
from fashion_dgm.training.code_version import code_version
from fashion_dgm.training.distributed.ranks import world_size

__all__ = ["evaluation_fingerprint", "fingerprint_of"]


def fingerprint_of(
    config: TrainingConfig,
    data_sha256: str,
    code: tuple[str, ...],
    device: torch.device,
    precision: torch.dtype,
    evaluation: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Returns names and values of everything that decides the outcome of training with `config`, but for the epochs.

    Epochs are left out because no schedule here depends on them: more epochs continue the same run.

    Arguments:
        data_sha256: hash of the images to train on.
        code: modules or definitions whose code, and all that it reaches, decides the outcome; see `code_version`.
        evaluation: hashes of what the epochs are evaluated with, by name.
    """
    parts = flatten(config.model_dump(mode="json", exclude={"epochs", "distributed"}))
    # Device and precision asked for may be "auto"; what counts is what they stand for here.
    resolved = "tf32" if config.precision == "tf32" else str(precision).removeprefix("torch.")
    parts |= {"device": device.type, "precision": resolved, "data": data_sha256}
    parts |= {f"evaluation.{name}": sha256 for name, sha256 in (evaluation or {}).items()}
    return parts | {"processes": world_size(), "code": code_version(*code), "torch": torch.__version__}


def evaluation_fingerprint(
    config: Config,
    code: tuple[str, ...],
    device: torch.device,
    inputs: Mapping[str, str],
) -> dict[str, Any]:
    """Returns names and values of everything that decides the outcome of an evaluation.

    Arguments:
        code: as for `fingerprint_of`.
        inputs: hashes of images and models, by name.
    """
    parts = flatten(config.model_dump(mode="json")) | {f"input.{name}": sha256 for name, sha256 in inputs.items()}
    return parts | {"device": device.type, "code": code_version(*code), "torch": torch.__version__}
