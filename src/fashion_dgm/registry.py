"""The networks that checkpoints hold, by the names of their architectures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from fashion_dgm.checkpoint import Checkpoint, rebuild
from fashion_dgm.classifier.network import Classifier
from fashion_dgm.flows.families import FLOWS
from fashion_dgm.gans.networks import Discriminator, Generator

__all__ = ["ARCHITECTURES", "build_model"]

ARCHITECTURES: Mapping[str, Callable[[Mapping[str, Any]], nn.Module]] = {
    **FLOWS,
    "Generator": lambda config: Generator(**config),
    "Discriminator": lambda config: Discriminator(**config),
    "Classifier": lambda config: Classifier(**config),
}
"""By name, what makes the network from a checkpoint's `config`."""


def build_model(checkpoint: Checkpoint | None, architecture: str) -> nn.Module:
    """Rebuilds the network of `checkpoint` as `checkpoint.rebuild` does, by the name of its architecture."""
    return rebuild(checkpoint, architecture, ARCHITECTURES[architecture])
