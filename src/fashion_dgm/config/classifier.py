"""Parameters of the reference classifier."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveInt

from fashion_dgm.config.training import OptimizerConfig, ScheduleConfig, TrainingConfig

__all__ = ["ClassifierConfig"]


class ClassifierConfig(TrainingConfig):
    """The reference classifier, whose features are an alternative to Inception's.

    Arguments:
        width: channels of the first block; the second and third have twice and four times as many.
        feature_dim: size of the penultimate layer.
        flip: whether images are mirrored at random.
        max_shift: by how many pixels images are moved at random, at most.
        label_smoothing: the fraction of each target that is spread over all classes.
    """

    width: PositiveInt
    feature_dim: PositiveInt
    optimizer: OptimizerConfig
    schedule: ScheduleConfig
    flip: bool
    max_shift: Annotated[int, Field(ge=0)]
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
