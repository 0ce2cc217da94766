"""Parameters of Residual Flow."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from fashion_dgm.config.base import Config, Fraction, Seed
from fashion_dgm.config.flows import LikelihoodTrainingConfig

__all__ = ["ResidualFlowConfig", "ResidualFlowEvaluationConfig", "ResidualFlowTrainingConfig", "SeriesConfig"]


class SeriesConfig(Config):
    """How the log-determinant of a residual layer is estimated.

    Arguments:
        exact_terms: terms of the power series that are always computed.
        roulette: distribution of the number of further terms; "none" for none, which leaves a bias.
        mean_terms: mean of that number.
        probes: for each image.
        probe_kind: distribution of their entries.
        gradient: "neumann" keeps little in memory for the backward pass; "series" differentiates the series.
    """

    exact_terms: Annotated[int, Field(ge=0)]
    roulette: Literal["geometric", "poisson", "none"] = "geometric"
    mean_terms: PositiveFloat = 2.0
    probes: PositiveInt = 1
    probe_kind: Literal["rademacher", "gaussian"] = "rademacher"
    gradient: Literal["neumann", "series"] = "neumann"

    @model_validator(mode="after")
    def _has_terms(self) -> Self:
        if self.roulette == "none" and self.exact_terms == 0:
            raise ValueError("a series without roulette needs exact_terms of at least 1")
        if self.roulette == "geometric" and self.mean_terms <= 1:
            raise ValueError("geometric roulette always computes a further term; its mean_terms must be above 1")
        return self


class ResidualFlowConfig(Config):
    """Architecture of Residual Flow (Chen et al., 2019), and how its log-determinant and inverse are computed.

    Arguments:
        scales: between each two of them the image is squeezed.
        blocks: residual blocks a scale.
        hidden_channels: width of the convolutions in a block.
        linear_blocks: residual blocks of fully connected layers at the end.
        linear_width: their width.
        squeeze_first: whether the first scale works at half the height and width, on four channels.
        factor_out: whether each scale hands half of its channels to the latents.
        lipschitz_coefficient: bound of the spectral norm of each layer; 1 would make inverse and series diverge.
        spectral_tolerance: to which the power iteration goes on after each step; 0 takes all of its iterations.
        spectral_iterations: of the power iteration after each step, at most.
        training, evaluation: how the log-determinant is estimated in either mode.
        inverse_tolerance, inverse_iterations: of the fixed-point iteration.
        logit_alpha: as for RealNVP.
    """

    scales: PositiveInt
    blocks: PositiveInt
    hidden_channels: PositiveInt
    linear_blocks: Annotated[int, Field(ge=0)]
    linear_width: PositiveInt
    squeeze_first: bool
    factor_out: bool
    lipschitz_coefficient: Fraction = 0.98
    spectral_tolerance: Annotated[float, Field(ge=0, lt=1)] = 1e-3
    spectral_iterations: PositiveInt = 200
    training: SeriesConfig = SeriesConfig(exact_terms=2)
    evaluation: SeriesConfig = SeriesConfig(exact_terms=20)
    inverse_tolerance: PositiveFloat = 1e-5
    inverse_iterations: PositiveInt = 1000
    logit_alpha: Annotated[float, Field(gt=0, lt=0.5)]


class ResidualFlowTrainingConfig(LikelihoodTrainingConfig):
    """Maximum likelihood training of Residual Flow."""

    model: ResidualFlowConfig

    @model_validator(mode="after")
    def _is_not_compiled(self) -> Self:
        if self.speed.compile != "none":
            raise ValueError("a residual flow differentiates within its forward pass, which can't be compiled yet")
        return self


class ResidualFlowEvaluationConfig(Config):
    """How a trained Residual Flow is evaluated.

    Arguments:
        images: of train, test and benchmark each, at most; None for all of test and benchmark, and as many of train.
        draws: of the probes, whose spread gives the standard error.
        batch_size: images at once.
        samples, temperatures: of the figure.
    """

    images: PositiveInt | None
    draws: Annotated[int, Field(ge=2)]
    batch_size: PositiveInt
    samples: PositiveInt
    temperatures: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]
    seed: Seed
    device: str
