"""Parameters of the evaluation of trained models."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from fashion_dgm.config.base import Config, Fraction, Seed

__all__ = ["FIDConfig", "KIDConfig", "OODConfig"]

# A word in --params, in MLflow and in tables.
SampleName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]


Statistic = Literal[
    "bits_per_dim",
    "log_prior",
    "log_det",
    "coded_bits_per_dim",
    "gradient_norm",
    "nearest_pixels",
    "nearest_edges",
    "nearest_features",
]
CoderName = Literal["png", "jpeg_ls", "jpeg_xl"]


class OODConfig(Config):
    """Out-of-distribution detection by scores that are fitted to training images alone.

    Arguments:
        max_images: of each OOD set.
        benchmark_images: of the in-distribution set.
        scores: which to compute; also as one word, `all` or `likelihood+waic`, for Kedro's `--params` takes no lists.
        primary_score: the score that the report's conclusions are on, the same for all sets.
        fit_images: training images to which scores are fitted.
        reference_images: other training images, among which neighbours are looked for; None for all of the rest.
        neighbour: which of the nearest; 2 lets no image be its own neighbour.
        coders: of which the shortest code counts.
        dose_statistics: whose densities `dose` multiplies.
        combined_statistics: whose joint density `combined` takes.
        components: of the mixtures that are the joint densities.
        least_difference: in AUROC, below which no score is called better than another.
        group_sizes: for typicality of groups.
        residual_flow_images: of each set, scored by the Residual Flow, too, where one was trained: its log-determinant is an
            estimate of many terms, and slow. 0 for none.
    """

    max_images: PositiveInt
    benchmark_images: PositiveInt
    batch_size: PositiveInt
    scores: Annotated[tuple[str, ...], Field(min_length=1)]
    primary_score: str
    fit_images: Annotated[int, Field(ge=2)]
    reference_images: PositiveInt | None
    neighbour: PositiveInt
    coders: Annotated[tuple[CoderName, ...], Field(min_length=1)]
    dose_statistics: Annotated[tuple[Statistic, ...], Field(min_length=1)]
    combined_statistics: Annotated[tuple[Statistic, ...], Field(min_length=1)]
    components: PositiveInt
    least_difference: Fraction
    group_sizes: tuple[Annotated[int, Field(ge=2)], ...]
    residual_flow_images: Annotated[int, Field(ge=0)]
    bootstrap: Annotated[int, Field(ge=100)]
    confidence: Fraction
    samples: PositiveInt
    temperatures: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]
    seed: Seed
    device: str

    @field_validator("scores", mode="before")
    @classmethod
    def _scores_in_one_word(cls, scores: Any) -> Any:
        if isinstance(scores, str):
            return scores.split("+")
        return scores

    @model_validator(mode="after")
    def _primary_score_is_computed(self) -> Self:
        if self.scores != ("all",) and self.primary_score not in self.scores:
            raise ValueError(f"the primary score {self.primary_score} is not among the scores")
        return self


class KIDConfig(Config):
    """The kernel distance: the mean over `subsets` draws of `subset_size` images a side."""

    subsets: Annotated[int, Field(ge=2)]
    subset_size: Annotated[int, Field(ge=2)]


class FIDConfig(Config):
    """Distances of every snapshot and of samples from elsewhere to real images, at one N.

    Arguments:
        classifier: whose features: those of the one that comes with the package, or of one trained here.
        samples_from: name to path of images that others made: a folder, a picture, `.npy` or `.npz`.
        neighbours: k of precision, recall, density and coverage.
        extrapolation_groups: disjoint groups, left out one at a time, for the distance at infinite N and its error.
        memory_megabytes: what pairwise distances may take at a time.
    """

    samples: Annotated[int, Field(ge=2)]
    batch_size: PositiveInt
    classifier: Literal["shipped", "trained"]
    samples_from: dict[SampleName, Annotated[str, Field(min_length=1)]]
    kid: KIDConfig
    neighbours: PositiveInt
    extrapolation_groups: Annotated[int, Field(ge=10)]
    memory_megabytes: PositiveInt
    inception: bool
    inception_weights: str | None
    inception_sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{8,64}$")]
    inception_download: bool
    seed: Seed
    device: str
