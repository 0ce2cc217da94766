"""Parameters of the epoch loop and of optimizers."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from fashion_dgm.config.base import Config, Seed, TrainingPrecision, without_nulls

__all__ = [
    "AdamConfig",
    "AdamWConfig",
    "DistributedConfig",
    "OptimizerConfig",
    "RMSpropConfig",
    "ScheduleConfig",
    "SpeedConfig",
    "TrainingConfig",
]


class AdamConfig(Config):
    """Adam (Kingma and Ba, 2015)."""

    name: Literal["adam"]
    learning_rate: PositiveFloat
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.999)


class AdamWConfig(Config):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""

    name: Literal["adamw"]
    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat


class RMSpropConfig(Config):
    """RMSprop without momentum, as in the WGAN paper."""

    name: Literal["rmsprop"]
    learning_rate: PositiveFloat


OptimizerConfig = Annotated[
    Annotated[AdamConfig | AdamWConfig | RMSpropConfig, Field(discriminator="name")], BeforeValidator(without_nulls)
]


class ScheduleConfig(Config):
    """How the learning rate changes with the number of steps.

    It does not know when training will end, so that a run may be continued with more epochs.

    Arguments:
        warmup_steps: over which it rises in a straight line from 0.
        half_life_steps: in which it then falls to a half, again and again; None to keep it.
        final_step: at which it has fallen in a straight line to 0, and nothing is learnt any more; None for no such step.
    """

    warmup_steps: Annotated[int, Field(ge=0)] = 0
    half_life_steps: PositiveInt | None = None
    final_step: PositiveInt | None = None

    @model_validator(mode="after")
    def _rises_before_it_ends(self) -> Self:
        if self.final_step is not None and self.final_step <= self.warmup_steps + 1:
            raise ValueError("final_step must come after the warm-up")
        return self


class SpeedConfig(Config):
    """What changes how fast a step is and, but for rounding, nothing else; the defaults are the measured ones."""

    channels_last: bool = True
    fused_optimizer: bool = True
    compile: Literal["none", "default", "reduce-overhead"] = "none"
    convolutions: Literal["auto", "library", "products"] = "auto"


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
    precision: TrainingPrecision
    speed: SpeedConfig = SpeedConfig()
    distributed: DistributedConfig = DistributedConfig()
