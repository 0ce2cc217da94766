"""Parameters of the reference classifier."""

from __future__ import annotations

from pydantic import PositiveInt

from fashion_dgm.config.training import OptimizerConfig, TrainingConfig

__all__ = ["ClassifierConfig"]


class ClassifierConfig(TrainingConfig):
    """The reference classifier whose features stand beside Inception's."""

    width: PositiveInt
    feature_dim: PositiveInt
    optimizer: OptimizerConfig
