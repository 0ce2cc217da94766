"""Parameters of the flows."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, PositiveFloat, PositiveInt

from fashion_dgm.config.base import Config, Fraction
from fashion_dgm.config.training import OptimizerConfig, ScheduleConfig, TrainingConfig

__all__ = [
    "BackgroundFlowConfig",
    "CouplingFlowConfig",
    "CouplingFlowTrainingConfig",
    "FlowTrainingConfig",
    "LikelihoodTrainingConfig",
    "MixtureFlowConfig",
    "MixtureFlowTrainingConfig",
    "NamedFlowConfig",
    "NamedFlowTrainingConfig",
    "RealNVPConfig",
]


class CouplingFlowConfig(Config):
    """What flows of couplings over several scales have in common, whatever a coupling computes.

    Arguments:
        position: whether the networks in the couplings have the place of a pixel as an input (Ho et al., 2019).
    """

    scales: PositiveInt
    checkerboard_couplings: Annotated[int, Field(ge=0)]
    channel_couplings: Annotated[int, Field(ge=0)]
    hidden_channels: PositiveInt
    residual_blocks: Annotated[int, Field(ge=0)]
    logit_alpha: Annotated[float, Field(gt=0, lt=0.5)]
    position: bool = False


class RealNVPConfig(CouplingFlowConfig):
    """Architecture of RealNVP (Dinh et al., 2017): affine couplings."""


class MixtureFlowConfig(CouplingFlowConfig):
    """Architecture of the mixture flow: couplings by mixtures of logistics, as in Flow++ (Ho et al., 2019).

    Arguments:
        components: logistics of each mixture.
    """

    components: PositiveInt


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


class CouplingFlowTrainingConfig(LikelihoodTrainingConfig):
    """Maximum likelihood training of a flow of couplings.

    Arguments:
        kept_epochs: of how many epochs before the last the weights are kept, as an ensemble for WAIC; 0 leaves WAIC out.
    """

    model: CouplingFlowConfig
    kept_epochs: Annotated[int, Field(ge=0)] = 0


class FlowTrainingConfig(CouplingFlowTrainingConfig):
    """Maximum likelihood training of RealNVP."""

    model: RealNVPConfig


class MixtureFlowTrainingConfig(CouplingFlowTrainingConfig):
    """Maximum likelihood training of the mixture flow."""

    model: MixtureFlowConfig


class NamedFlowConfig(Config):
    """Architecture of any flow in `fashion_dgm.flows`: its name, and parameters that its class checks."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str


class NamedFlowTrainingConfig(LikelihoodTrainingConfig):
    """Maximum likelihood training of a flow that `model` names.

    Arguments:
        kept_epochs: as for a flow of couplings.
    """

    model: NamedFlowConfig
    kept_epochs: Annotated[int, Field(ge=0)] = 0


class BackgroundFlowConfig(FlowTrainingConfig):
    """Training of the background model of likelihood ratios (Ren et al., 2019).

    Arguments:
        mutation_rate: the fraction of pixels that are replaced by uniform noise, so that what images show is lost and what
            neighbouring pixels have in common is not.
    """

    mutation_rate: Fraction
