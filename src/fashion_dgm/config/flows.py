"""Parameters of the flows."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

from fashion_dgm.config.base import BatchSize, Config, Device, Fraction, Seed, Several
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
    "ResidualFlowConfig",
    "ResidualFlowEvaluationConfig",
    "ResidualFlowTrainingConfig",
    "SeriesConfig",
]

Scales = Annotated[PositiveInt, Field(description="scales; between each two the image is squeezed")]
LogitAlpha = Annotated[
    float, Field(gt=0, lt=0.5, description="pixels `x` become the logits of `alpha + (1 - 2 alpha) x`")
]
KeptEpochs = Annotated[
    int, Field(ge=0, description="epochs before the last whose weights are kept, as an ensemble for WAIC; 0 omits WAIC")
]
Temperatures = Annotated[
    tuple[PositiveFloat, ...], Field(min_length=1, description="standard deviations of the latents of drawn images")
]


class CouplingFlowConfig(Config):
    """What flows of couplings over several scales have in common, whatever a coupling computes."""

    scales: Scales
    checkerboard_couplings: int = Field(ge=0, description="couplings of each scale before channels are squeezed")
    channel_couplings: int = Field(ge=0, description="couplings of each scale after that")
    hidden_channels: PositiveInt = Field(description="width of the networks in the couplings")
    residual_blocks: int = Field(ge=0, description="depth of these networks")
    logit_alpha: LogitAlpha
    position: bool = Field(default=False, description="whether the networks take the position of a pixel as an input")


class RealNVPConfig(CouplingFlowConfig):
    """Architecture of RealNVP (Dinh et al., 2017): affine couplings."""


class MixtureFlowConfig(CouplingFlowConfig):
    """Architecture of the mixture flow: couplings by mixtures of logistics, as in Flow++ (Ho et al., 2019)."""

    components: PositiveInt = Field(description="number of logistics in each mixture")


class LikelihoodTrainingConfig(TrainingConfig):
    """Maximum likelihood training of any flow."""

    optimizer: OptimizerConfig = Field(description="optimizer")
    schedule: ScheduleConfig = Field(default=ScheduleConfig(), description="schedule of the learning rate")
    ema_decay: Fraction | None = Field(
        default=None,
        description="decay of the moving average of the weights, which is then evaluated and kept; null for none",
    )
    max_gradient_norm: PositiveFloat = Field(description="norm to which larger gradients are scaled down")
    evaluation_images: PositiveInt = Field(
        description="held-out images evaluated after each epoch; the final result is on all of them"
    )


class CouplingFlowTrainingConfig(LikelihoodTrainingConfig):
    """Maximum likelihood training of a flow of couplings."""

    model: CouplingFlowConfig = Field(description="architecture")
    kept_epochs: KeptEpochs = 0


class FlowTrainingConfig(CouplingFlowTrainingConfig):
    """Maximum likelihood training of RealNVP."""

    model: RealNVPConfig = Field(description="architecture")


class MixtureFlowTrainingConfig(CouplingFlowTrainingConfig):
    """Maximum likelihood training of the mixture flow."""

    model: MixtureFlowConfig = Field(description="architecture")


class NamedFlowConfig(Config):
    """Architecture of any flow in `fashion_dgm.flows`: its name, and parameters that its class checks."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field(description="class of the flow")


class NamedFlowTrainingConfig(LikelihoodTrainingConfig):
    """Maximum likelihood training of a flow that `model` names."""

    model: NamedFlowConfig = Field(description="the flow and its architecture")
    kept_epochs: KeptEpochs = 0


class BackgroundFlowConfig(FlowTrainingConfig):
    """Training of the background model of likelihood ratios (Ren et al., 2019)."""

    mutation_rate: Fraction = Field(
        description=(
            "fraction of pixels replaced by uniform noise, which hides what images show but not what "
            "neighbouring pixels have in common"
        )
    )


class SeriesConfig(Config):
    """How the log-determinant of a residual layer is estimated."""

    exact_terms: int = Field(ge=0, description="terms of the power series that are always computed")
    roulette: Literal["geometric", "poisson", "none"] = Field(
        default="geometric",
        description="distribution of the number of further terms; `none` truncates the series, which leaves a bias",
    )
    mean_terms: PositiveFloat = Field(default=2.0, description="mean number of further terms")
    probes: PositiveInt = Field(default=1, description="Hutchinson probe vectors for each image")
    probe_kind: Literal["rademacher", "gaussian"] = Field(
        default="rademacher", description="distribution of the entries of a probe vector"
    )
    gradient: Literal["neumann", "series"] = Field(
        default="neumann",
        description="`neumann` needs little memory for the backward pass; `series` differentiates the series",
    )

    @model_validator(mode="after")
    def _has_terms(self) -> Self:
        if self.roulette == "none" and self.exact_terms == 0:
            raise ValueError("a series without roulette needs exact_terms of at least 1")
        if self.roulette == "geometric" and self.mean_terms <= 1:
            raise ValueError("geometric roulette always computes a further term; its mean_terms must be above 1")
        return self


class ResidualFlowConfig(Config):
    """Architecture of Residual Flow (Chen et al., 2019), and how its log-determinant and inverse are computed."""

    scales: Scales
    blocks: PositiveInt = Field(description="residual blocks of each scale")
    hidden_channels: PositiveInt = Field(description="width of the convolutions in a block")
    linear_blocks: int = Field(ge=0, description="residual blocks of fully connected layers at the end")
    linear_width: PositiveInt = Field(description="width of these layers")
    squeeze_first: bool = Field(description="whether the first scale has half the height and width, on four channels")
    factor_out: bool = Field(description="whether each scale passes half of its channels on to the latents")
    lipschitz_coefficient: Fraction = Field(
        default=0.98, description="bound of the spectral norm of each layer; 1 would make inverse and series diverge"
    )
    spectral_tolerance: float = Field(
        default=1e-3,
        ge=0,
        lt=1,
        description="tolerance at which the power iteration ends after each step; 0 uses all iterations",
    )
    spectral_iterations: PositiveInt = Field(default=200, description="most power iterations")
    training: SeriesConfig = Field(
        default=SeriesConfig(exact_terms=2), description="estimate of the log-determinant in training"
    )
    evaluation: SeriesConfig = Field(
        default=SeriesConfig(exact_terms=20), description="estimate of the log-determinant in evaluation"
    )
    inverse_tolerance: PositiveFloat = Field(
        default=1e-5, description="tolerance at which the fixed-point iteration of the inverse ends"
    )
    inverse_iterations: PositiveInt = Field(default=1000, description="most fixed-point iterations")
    logit_alpha: LogitAlpha


class ResidualFlowTrainingConfig(LikelihoodTrainingConfig):
    """Maximum likelihood training of Residual Flow."""

    model: ResidualFlowConfig = Field(description="architecture")

    @model_validator(mode="after")
    def _is_not_compiled(self) -> Self:
        if self.speed.compile != "none":
            raise ValueError("a residual flow differentiates within its forward pass, which can't be compiled yet")
        return self


class ResidualFlowEvaluationConfig(Config):
    """How a trained Residual Flow is evaluated."""

    images: Several | None = Field(
        description="most images of train, test and benchmark each; null: all of test and benchmark, and as many of train"
    )
    draws: Several = Field(description="draws of the probe vectors; their spread gives a standard error")
    batch_size: BatchSize
    samples: PositiveInt = Field(description="samples in the figure")
    temperatures: Temperatures
    seed: Seed
    device: Device
