"""Models of checkpoints, on the device that a node computes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fashion_dgm.pipelines.types import Checkpoint

if TYPE_CHECKING:
    from fashion_dgm.flows.flow import Flow

__all__ = ["load_flow"]


def load_flow(checkpoint: Checkpoint, device: str) -> Flow:
    """Rebuilds the flow of a checkpoint in evaluation mode, whichever flow it is, on `device`."""
    from fashion_dgm.flows.families import build_flow
    from fashion_dgm.training.device import resolve_device

    return build_flow(checkpoint).to(resolve_device(device))
