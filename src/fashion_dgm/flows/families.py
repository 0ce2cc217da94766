"""Flows of all architectures, made from their parameters or checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fashion_dgm.checkpoint import Checkpoint, CheckpointError, rebuild
from fashion_dgm.config import Config, MixtureFlowConfig, RealNVPConfig, ResidualFlowConfig
from fashion_dgm.flows.coupling_flow import MixtureFlow, RealNVP
from fashion_dgm.flows.flow import Flow
from fashion_dgm.flows.residual_flow import ResidualFlow

__all__ = ["build_flow", "make_flow"]

_BY_CONFIG: Mapping[type[Config], Callable[[Any], Flow]] = {
    RealNVPConfig: RealNVP,
    MixtureFlowConfig: MixtureFlow,
    ResidualFlowConfig: ResidualFlow,
}

FLOWS: Mapping[str, Callable[[Mapping[str, Any]], Flow]] = {
    "RealNVP": lambda config: RealNVP(RealNVPConfig(**config)),
    "MixtureFlow": lambda config: MixtureFlow(MixtureFlowConfig(**config)),
    "ResidualFlow": lambda config: ResidualFlow(ResidualFlowConfig(**config)),
}
"""By the name of its architecture, what makes a flow from a checkpoint's `config`."""


def make_flow(config: Config) -> Flow:
    """Makes the flow that `config`, the parameters of one of `FLOWS`, describes, for 28x28 images."""
    return _BY_CONFIG[type(config)](config)


def build_flow(checkpoint: Checkpoint) -> Flow:
    """Rebuilds the flow of `checkpoint`, whatever its architecture, in evaluation mode on the CPU.

    Raises:
        CheckpointError: if it holds no flow, or its weights don't fit.
    """
    if checkpoint.architecture not in FLOWS:
        raise CheckpointError(
            f"this checkpoint holds a {checkpoint.architecture}, not a flow; give the path of a flow's"
        )
    return rebuild(checkpoint, checkpoint.architecture, FLOWS[checkpoint.architecture])
