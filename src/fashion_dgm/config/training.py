"""Parameters of the epoch loop, of optimizers, and of the reference classifier's training."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from fashion_dgm.config.base import Config, Device, Seed, Several, TrainingPrecision, without_nulls

__all__ = [
    "AdamConfig",
    "AdamWConfig",
    "ClassifierConfig",
    "DistributedConfig",
    "OptimizerConfig",
    "RMSpropConfig",
    "ScheduleConfig",
    "SpeedConfig",
    "TrainingConfig",
]

LearningRate = Annotated[PositiveFloat, Field(description="step size")]
KINDS = "`adam`, `adamw` or `rmsprop`"
Beta = Annotated[float, Field(ge=0, lt=1)]


class AdamConfig(Config):
    """Adam (Kingma and Ba, 2015)."""

    name: Literal["adam"] = Field(description=KINDS)
    learning_rate: LearningRate
    betas: tuple[Beta, Beta] = Field(
        default=(0.9, 0.999), description="decay rates of the averages of gradients and of their squares"
    )


class AdamWConfig(Config):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""

    name: Literal["adamw"] = Field(description=KINDS)
    learning_rate: LearningRate
    weight_decay: NonNegativeFloat = Field(description="weight decay, relative to the learning rate")


class RMSpropConfig(Config):
    """RMSprop without momentum, as in the WGAN paper."""

    name: Literal["rmsprop"] = Field(description=KINDS)
    learning_rate: LearningRate


OptimizerConfig = Annotated[
    Annotated[AdamConfig | AdamWConfig | RMSpropConfig, Field(discriminator="name")], BeforeValidator(without_nulls)
]


class ScheduleConfig(Config):
    """How the learning rate changes with the number of steps.

    It does not know when training will end, so that a run may be continued with more epochs.
    """

    warmup_steps: int = Field(default=0, ge=0, description="steps over which the learning rate rises linearly from 0")
    half_life_steps: PositiveInt | None = Field(
        default=None, description="steps in which the learning rate halves, again and again; null to keep it"
    )
    final_step: PositiveInt | None = Field(
        default=None,
        description="step at which the learning rate has fallen linearly to 0, and training has no effect any more; or null",
    )

    @model_validator(mode="after")
    def _rises_before_it_ends(self) -> Self:
        if self.final_step is not None and self.final_step <= self.warmup_steps + 1:
            raise ValueError("final_step must come after the warm-up")
        return self


class SpeedConfig(Config):
    """What changes how fast a step is and, but for rounding, nothing else; the defaults are the measured ones."""

    channels_last: bool = Field(default=True, description="whether channels are the innermost axis of convolutions")
    fused_optimizer: bool = Field(default=True, description="whether the optimizer updates all weights in one kernel")
    compile: Literal["none", "default", "reduce-overhead"] = Field(
        default="none", description="mode of `torch.compile`; `reduce-overhead` records CUDA graphs"
    )
    convolutions: Literal["auto", "library", "products"] = Field(
        default="auto",
        description=(
            "convolutions of GANs: `products` computes them as matrix products with fewer "
            "multiplications; `auto` does so on a CPU"
        ),
    )


class DistributedConfig(Config):
    """Over how many processes a training is spread; each takes a batch of its own at every step."""

    nodes: PositiveInt = Field(default=1, description="number of machines")
    processes_per_node: PositiveInt = Field(
        default=1, description="processes on each machine, one for each of its GPUs"
    )
    rendezvous: str = Field(
        default="",
        pattern=r"^(\S+:\d+)?$",
        description="host:port of the machine that runs the command; empty if it is the only one",
    )
    max_restarts: int = Field(
        default=1, ge=0, description="how often training restarts from the last saved state after a process was lost"
    )

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

    epochs: PositiveInt = Field(description="passes over the training images")
    batch_size: Several = Field(description="images of a step in each process")
    images_per_epoch: PositiveInt | None = Field(
        default=None, description="images of an epoch, different ones in each; null for all"
    )
    seed: Seed
    device: Device
    precision: TrainingPrecision = Field(
        description="precision of convolutions: `auto` is bfloat16 if the hardware supports it, else float32; or `tf32`"
    )
    speed: SpeedConfig = Field(default=SpeedConfig(), description="what makes steps faster and changes only rounding")
    distributed: DistributedConfig = Field(
        default=DistributedConfig(), description="several processes: docs/how-to/many-gpus.md"
    )


class ClassifierConfig(TrainingConfig):
    """The reference classifier, whose features are an alternative to Inception's."""

    width: PositiveInt = Field(description="channels of the first block; the others have twice and four times as many")
    feature_dim: PositiveInt = Field(description="size of the penultimate layer")
    optimizer: OptimizerConfig = Field(description="optimizer")
    schedule: ScheduleConfig = Field(description="schedule of the learning rate")
    flip: bool = Field(description="whether images are mirrored at random")
    max_shift: int = Field(ge=0, description="most pixels by which images are moved at random")
    label_smoothing: float = Field(ge=0, lt=1, description="fraction of each target that is spread over all classes")
