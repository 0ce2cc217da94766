"""Parameters of the study of log-determinant estimators."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from fashion_dgm.config.base import Config, Fraction, Seed

__all__ = ["BlockKind", "LogDetStudyConfig"]

BlockKind = Literal["dense", "convolutional", "contracting"]
Several = Field(min_length=1)


class LogDetStudyConfig(Config):
    """Which estimators are evaluated, on which residual blocks, from how many draws.

    Arguments:
        kinds: random residual branches, see `fashion_dgm.experiments.log_det.blocks`.
        dimensions: numbers in an input, squares from 4 on (a convolution needs an image).
        lipschitz: bounds of the branches' Lipschitz constants.
        focus: the one of `lipschitz` that figures show, with the largest dimension.
        draws: of each estimator on each random block.
        terms: of the series, for exact moments.
        truncations: numbers of terms of the truncated estimators.
        exact_terms: numbers of terms that roulette always computes.
        geometric: chances to stop after each further term.
        poisson: mean numbers of further terms.
        probes: numbers of probes for which the variance of their mean is measured.
        budgets: vector-Jacobian products that one estimate may cost.
        confidence: of all intervals.
        trained_images: held-out images at which the blocks of the trained flow are studied.
        device: on which the layers of the trained flow are studied; all else is small.
        trained_draws, trained_terms: as `draws` and `terms`, for these blocks of 784 dimensions.
    """

    kinds: Annotated[tuple[BlockKind, ...], Several]
    dimensions: Annotated[tuple[Annotated[int, Field(ge=4, le=256)], ...], Several]
    lipschitz: Annotated[tuple[Fraction, ...], Several]
    focus: Fraction
    draws: Annotated[int, Field(ge=200)]
    terms: Annotated[int, Field(ge=10, le=1000)]
    truncations: Annotated[tuple[PositiveInt, ...], Several]
    exact_terms: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Several]
    geometric: Annotated[tuple[Fraction, ...], Several]
    poisson: Annotated[tuple[PositiveFloat, ...], Several]
    probes: Annotated[tuple[PositiveInt, ...], Several]
    budgets: Annotated[tuple[PositiveInt, ...], Several]
    confidence: Fraction
    trained_images: PositiveInt
    trained_draws: Annotated[int, Field(ge=50)]
    trained_terms: Annotated[int, Field(ge=10, le=200)]
    seed: Seed
    device: str

    @model_validator(mode="after")
    def _consistent(self) -> LogDetStudyConfig:
        if self.focus not in self.lipschitz:
            raise ValueError(f"focus is one of lipschitz, {list(self.lipschitz)}, not {self.focus}")
        odd = [dimension for dimension in self.dimensions if math.isqrt(dimension) ** 2 != dimension]
        if odd:
            raise ValueError(f"dimensions are squares, such as 16 or 64; these are not: {odd}")
        if max(self.truncations) > min(self.terms, self.trained_terms):
            raise ValueError(
                f"no truncation may have more terms than terms and trained_terms, not {max(self.truncations)}"
            )
        return self
