"""Parameters of the evaluation of trained models."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from fashion_dgm.config.base import (
    BatchSize,
    Bootstrap,
    Confidence,
    Config,
    Device,
    Fraction,
    Seed,
    Several,
    split_words,
)
from fashion_dgm.config.flows import Temperatures

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
Pixels = Annotated[int, Field(ge=32, le=224, multiple_of=32)]
CoderName = Literal["png", "jpeg_ls", "jpeg_xl"]
Models = Annotated[
    Literal["trained", "reference"],
    Field(description="which are evaluated: those trained here, or those that come with the package"),
]


class OODConfig(Config):
    """Out-of-distribution detection by scores that are fitted to training images alone."""

    models: Models
    max_images: PositiveInt = Field(description="most images of each OOD set")
    benchmark_images: PositiveInt = Field(description="number of in-distribution official test images")
    batch_size: BatchSize
    scores: tuple[str, ...] = Field(
        min_length=1,
        description=(
            "scores, whose high values mean OOD: docs/reading-the-numbers.md; also as one word, `all` "
            "or `likelihood+waic`, since `--params` takes no list of several"
        ),
    )
    primary_score: str = Field(description="score on which conclusions are based, the same for every set")
    fit_images: Several = Field(description="training images to which scores are fitted; nothing else is used")
    reference_images: PositiveInt | None = Field(
        description="other training images among which neighbours are searched; null for all"
    )
    neighbour: PositiveInt = Field(description="rank of the neighbour; with 2 no image is its own neighbour")
    coders: tuple[CoderName, ...] = Field(min_length=1, description="lossless coders; the shortest code counts")
    dose_statistics: tuple[Statistic, ...] = Field(
        min_length=1, description="statistics whose densities `dose` multiplies"
    )
    combined_statistics: tuple[Statistic, ...] = Field(
        min_length=1, description="statistics whose joint density `combined` uses"
    )
    components: PositiveInt = Field(description="components of the mixture that models each joint density")
    least_difference: Fraction = Field(description="smallest difference in AUROC that is called better or worse")
    group_sizes: tuple[Several, ...] = Field(description="sizes of groups whose typicality is tested together")
    residual_flow_images: int = Field(
        ge=0, description="images of each set that the Residual Flow scores, which is slow; 0 leaves it out"
    )
    bootstrap: Bootstrap
    confidence: Confidence
    samples: PositiveInt = Field(description="samples in the figure")
    temperatures: Temperatures
    seed: Seed
    device: Device

    _one_word = field_validator("scores", mode="before")(split_words)

    @model_validator(mode="after")
    def _primary_score_is_computed(self) -> Self:
        if self.scores != ("all",) and self.primary_score not in self.scores:
            raise ValueError(f"the primary score {self.primary_score} is not among the scores")
        return self


class KIDConfig(Config):
    """The kernel distance (Binkowski et al., 2018)."""

    subsets: Several = Field(description="number of random subsets that are averaged")
    subset_size: Several = Field(description="images of a subset on each side")


class FIDConfig(Config):
    """Distances of every snapshot, of flows and of samples from elsewhere to real images, at one N."""

    models: Models
    samples: Several = Field(description="images on each side")
    batch_size: BatchSize
    classifier: Literal["shipped", "trained"] = Field(
        description="classifier whose features are used: `shipped` with the package, or `trained` by `train_classifier`"
    )
    samples_from: dict[SampleName, Annotated[str, Field(min_length=1)]] = Field(
        description="external samples, as `name: path` of a folder, an image, .npy or .npz"
    )
    flows: tuple[str, ...] = Field(
        min_length=1,
        description="architectures of the flows that are sampled: `all`, or for instance `RealNVP+MixtureFlow`",
    )
    temperatures: Temperatures = Field(description="temperatures at which flows are sampled, with a row for each")
    copying_images: PositiveInt = Field(description="images of each set whose nearest training image is searched")
    kid: KIDConfig = Field(description="kernel distance")
    neighbours: PositiveInt = Field(description="k of precision, recall, density and coverage (Naeem et al., 2020)")
    extrapolation_groups: int = Field(
        ge=10, description="groups of the jackknife that gives the distance at infinite N and its standard error"
    )
    memory_megabytes: PositiveInt = Field(description="memory for pairwise distances; less is only slower")
    efficientnet: bool = Field(
        description=(
            "whether the distances are also computed in EfficientNet-Lite0's features; needs the extra `efficientnet`"
        )
    )
    efficientnet_pixels: Pixels = Field(
        description="size to which images are resized for it; the network was trained at 224, smaller is faster"
    )
    inception: bool = Field(
        description="whether FID is computed if the weights are available; the classifier distance always is"
    )
    inception_weights: str | None = Field(description="local file of the weights; null for torch hub's cache")
    inception_sha256: str = Field(
        pattern=r"^[0-9a-fA-F]{8,64}$", description="SHA-256 of the weights: its first digits or all of them"
    )
    inception_download: bool = Field(
        description="whether the weights are downloaded from pytorch-fid's address if they are not found"
    )
    seed: Seed
    device: Device

    _one_word = field_validator("flows", mode="before")(split_words)
