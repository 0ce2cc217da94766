"""Typed parameters: one frozen model per block of `conf/*/parameters*.yml`.

Kedro checks them before any node runs, so a misspelt name or a bad value costs nothing. This module imports neither
torch nor Kedro: the library below takes these models, the nodes above are annotated with them.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

__all__ = [
    "AdamConfig",
    "ClassifierConfig",
    "Config",
    "DataSplitConfig",
    "DistributedConfig",
    "FIDConfig",
    "FlowTrainingConfig",
    "GANConfig",
    "OODConfig",
    "OptimizerConfig",
    "RMSpropConfig",
    "RealNVPConfig",
    "ReportConfig",
    "SpeedConfig",
    "TrackingConfig",
    "TrainingConfig",
    "WGANConfig",
]

Seed = Annotated[int, Field(ge=0, lt=2**31)]
Precision = Literal["auto", "float32", "bfloat16"]
Fraction = Annotated[float, Field(gt=0, lt=1)]


class Config(BaseModel):
    """Base of all parameter blocks: immutable, and an unknown name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSplitConfig(Config):
    """How the pool of official images is cut in two."""

    pool: Literal["train", "all"]
    test_fraction: Fraction
    seed: Seed


class AdamConfig(Config):
    """Adam (Kingma and Ba, 2015)."""

    name: Literal["adam"]
    learning_rate: PositiveFloat
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.999)


class RMSpropConfig(Config):
    """RMSprop without momentum, as in the WGAN paper."""

    name: Literal["rmsprop"]
    learning_rate: PositiveFloat


OptimizerConfig = Annotated[AdamConfig | RMSpropConfig, Field(discriminator="name")]


class SpeedConfig(Config):
    """What changes how fast a step is and, but for rounding, nothing else; the defaults are the measured ones."""

    channels_last: bool = True
    fused_optimizer: bool = True
    compile: Literal["none", "default", "reduce-overhead"] = "none"


class DistributedConfig(Config):
    """Over how many processes a training is spread; each takes a batch of its own at every step.

    Arguments:
        nodes: machines.
        processes_per_node: processes on each machine, one for each of its GPUs.
        rendezvous: `host:port` of the machine that runs the command; empty where it is the only one.
        max_restarts: how often to start again, from the last saved state, after a process was lost.
    """

    nodes: PositiveInt = 1
    processes_per_node: PositiveInt = 1
    rendezvous: Annotated[str, Field(pattern=r"^(\S+:\d+)?$")] = ""
    max_restarts: Annotated[int, Field(ge=0)] = 1

    @model_validator(mode="after")
    def _can_be_found(self) -> Self:
        if self.nodes > 1 and not self.rendezvous:
            raise ValueError("several nodes need a rendezvous: the host:port of the machine that runs the command")
        return self

    @property
    def processes(self) -> int:
        """How many processes there are in all."""
        return self.nodes * self.processes_per_node


class TrainingConfig(Config):
    """What the epoch loop needs to know, whatever it trains."""

    epochs: PositiveInt
    batch_size: Annotated[int, Field(ge=2)]
    images_per_epoch: PositiveInt | None = None
    seed: Seed
    device: str
    precision: Precision
    speed: SpeedConfig = SpeedConfig()
    distributed: DistributedConfig = DistributedConfig()


class RealNVPConfig(Config):
    """Architecture of RealNVP (Dinh et al., 2017)."""

    scales: PositiveInt
    checkerboard_couplings: Annotated[int, Field(ge=0)]
    channel_couplings: Annotated[int, Field(ge=0)]
    hidden_channels: PositiveInt
    residual_blocks: Annotated[int, Field(ge=0)]
    logit_alpha: Annotated[float, Field(gt=0, lt=0.5)]


class FlowTrainingConfig(TrainingConfig):
    """Maximum likelihood training of a flow."""

    model: RealNVPConfig
    optimizer: OptimizerConfig
    max_gradient_norm: PositiveFloat
    evaluation_images: PositiveInt


class GANConfig(TrainingConfig):
    """The assignment's GAN."""

    latent_dim: PositiveInt
    width: PositiveInt
    optimizer: OptimizerConfig
    snapshot_every: PositiveInt


class WGANConfig(GANConfig):
    """The assignment's WGAN: a critic under weight clipping."""

    n_critic: PositiveInt
    clip: PositiveFloat


class ClassifierConfig(TrainingConfig):
    """The reference classifier whose features stand beside Inception's."""

    width: PositiveInt
    feature_dim: PositiveInt
    optimizer: OptimizerConfig


class OODConfig(Config):
    """Likelihood-based out-of-distribution detection."""

    max_images: PositiveInt
    batch_size: PositiveInt
    bootstrap: Annotated[int, Field(ge=100)]
    confidence: Fraction
    samples: PositiveInt
    temperatures: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]
    seed: Seed
    device: str
    precision: Precision


class FIDConfig(Config):
    """Fréchet distance of every snapshot, at one N."""

    samples: Annotated[int, Field(ge=2)]
    batch_size: PositiveInt
    inception: bool
    inception_weights: str | None
    inception_sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{8,64}$")]
    inception_download: bool
    seed: Seed
    device: str


class ReportConfig(Config):
    """What the report shows."""

    title: str
    grid_columns: PositiveInt
    seed: Seed
    reproduce: tuple[str, ...]


class TrackingConfig(Config):
    """Where runs are recorded (`tracking.yml`)."""

    enabled: bool
    folder: str
    experiment: str
    artifact_megabytes: PositiveInt
    system_metrics: bool
