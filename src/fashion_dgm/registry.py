"""The networks that checkpoints hold, by the names of their architectures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from fashion_dgm.checkpoint import Checkpoint, rebuild
from fashion_dgm.classifier.network import Classifier
from fashion_dgm.flows.families import build_flow, rebuild_flow
from fashion_dgm.flows.flow import Flow
from fashion_dgm.gans.networks import Discriminator, Generator
from fashion_dgm.training.device import resolve_device

__all__ = ["build_model", "load_flow"]

OTHERS: Mapping[str, Callable[[Mapping[str, Any]], nn.Module]] = {
    "Generator": lambda config: Generator(**config),
    "Discriminator": lambda config: Discriminator(**config),
    "Classifier": lambda config: Classifier(**config),
}
"""By name, what makes a network other than a flow from a checkpoint's `config`."""


def build_model(checkpoint: Checkpoint | None, architecture: str) -> nn.Module:
    """Rebuilds the network of `checkpoint` as `checkpoint.rebuild` does, by the name of its architecture."""
    if architecture in OTHERS:
        return rebuild(checkpoint, architecture, OTHERS[architecture])
    return rebuild_flow(checkpoint, architecture)


def load_flow(checkpoint: Checkpoint, device: str) -> Flow:
    """Rebuilds the flow of a checkpoint in evaluation mode, whichever flow it is, on `device`."""
    return build_flow(checkpoint).to(resolve_device(device))
