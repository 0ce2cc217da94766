"""Flows of all architectures, made from their parameters or checkpoints."""

from __future__ import annotations

from typing import cast

from fashion_dgm.checkpoint import Checkpoint, CheckpointError, build_model
from fashion_dgm.config import RealNVPConfig, ResidualFlowConfig
from fashion_dgm.flows.flow import Flow
from fashion_dgm.flows.realnvp import RealNVP
from fashion_dgm.flows.residual_flow import ResidualFlow

__all__ = ["build_flow", "make_flow"]

ARCHITECTURES = ("RealNVP", "ResidualFlow")


def make_flow(config: RealNVPConfig | ResidualFlowConfig) -> Flow:
    """Makes the flow that `config` describes, for 28x28 images."""
    return RealNVP(config) if isinstance(config, RealNVPConfig) else ResidualFlow(config)


def build_flow(checkpoint: Checkpoint) -> Flow:
    """Rebuilds the flow of `checkpoint`, whatever its architecture, in evaluation mode on the CPU.

    Raises:
        CheckpointError: if it holds no flow, or its weights don't fit.
    """
    if checkpoint.architecture not in ARCHITECTURES:
        raise CheckpointError(
            f"this checkpoint holds a {checkpoint.architecture}, not a flow; give the path of a flow's"
        )
    return cast("Flow", build_model(checkpoint, checkpoint.architecture))
