"""Parameters of the flows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from fashion_dgm.config.base import Config, Fraction
from fashion_dgm.config.training import OptimizerConfig, ScheduleConfig, TrainingConfig

__all__ = ["FlowTrainingConfig", "LikelihoodTrainingConfig", "RealNVPConfig"]


class RealNVPConfig(Config):
    """Architecture of RealNVP (Dinh et al., 2017).

    Arguments:
        coupling: affine as in the paper, or by mixtures of logistics as in Flow++ (Ho et al., 2019).
        components: logistics of each mixture.
        position: whether the networks in the couplings know where in the image they are.
    """

    scales: PositiveInt
    checkerboard_couplings: Annotated[int, Field(ge=0)]
    channel_couplings: Annotated[int, Field(ge=0)]
    hidden_channels: PositiveInt
    residual_blocks: Annotated[int, Field(ge=0)]
    logit_alpha: Annotated[float, Field(gt=0, lt=0.5)]
    coupling: Literal["affine", "mixture"] = "affine"
    components: PositiveInt = 8
    position: bool = False


class LikelihoodTrainingConfig(TrainingConfig):
    """Maximum likelihood training of any flow.

    Arguments:
        ema_decay: of the moving average of the weights, which is then what is evaluated and kept; None for none.
    """

    optimizer: OptimizerConfig
    schedule: ScheduleConfig = ScheduleConfig()
    ema_decay: Fraction | None = None
    max_gradient_norm: PositiveFloat
    evaluation_images: PositiveInt


class FlowTrainingConfig(LikelihoodTrainingConfig):
    """Maximum likelihood training of RealNVP.

    Arguments:
        kept_epochs: of how many epochs before the last the weights are kept, as an ensemble for WAIC; 0 leaves WAIC out.
    """

    model: RealNVPConfig
    kept_epochs: Annotated[int, Field(ge=0)] = 0


class BackgroundFlowConfig(FlowTrainingConfig):
    """Training of the background model of likelihood ratios (Ren et al., 2019).

    Arguments:
        mutation_rate: the share of pixels that are replaced by uniform noise, so that what images show is lost and what
            neighbouring pixels have in common is not.
    """

    mutation_rate: Fraction
