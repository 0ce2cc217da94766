"""Parameters of the flows."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from fashion_dgm.config.base import Config
from fashion_dgm.config.training import OptimizerConfig, TrainingConfig

__all__ = ["FlowTrainingConfig", "RealNVPConfig"]


class RealNVPConfig(Config):
    """Architecture of RealNVP (Dinh et al., 2017)."""

    scales: PositiveInt
    checkerboard_couplings: Annotated[int, Field(ge=0)]
    channel_couplings: Annotated[int, Field(ge=0)]
    hidden_channels: PositiveInt
    residual_blocks: Annotated[int, Field(ge=0)]
    logit_alpha: Annotated[float, Field(gt=0, lt=0.5)]


class FlowTrainingConfig(TrainingConfig):
    """Maximum likelihood training of a flow."""

    model: RealNVPConfig
    optimizer: OptimizerConfig
    max_gradient_norm: PositiveFloat
    evaluation_images: PositiveInt
