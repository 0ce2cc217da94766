"""Adversarial training from its parameters to checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from fashion_dgm.checkpoint import Checkpoint, checkpoint_of
from fashion_dgm.config import AdversarialConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.gans import objectives
from fashion_dgm.gans.evaluation import EvaluationData, Evaluator
from fashion_dgm.gans.networks import Discriminator, Generator, averaged_generator
from fashion_dgm.gans.steps import AdversarialStep, discriminator_arguments, generator_arguments
from fashion_dgm.training.epoch import EpochRow
from fashion_dgm.training.loop import OnEpoch, train

if TYPE_CHECKING:
    from fashion_dgm.training.store import StateStore

__all__ = ["TrainedGAN", "final_metrics", "train_gan"]

# For studies, whose runs train any of the families.
PACKAGES = (__name__,)


@dataclass(frozen=True)
class TrainedGAN:
    """What a run leaves.

    Arguments:
        generator: after the last epoch.
        average: the moving average of its weights, where the run kept one.
        discriminator: after the last epoch.
        history: metrics by epoch.
        snapshots: by epoch the generator, or its moving average where the run kept one.
    """

    generator: Checkpoint
    average: Checkpoint | None
    discriminator: Checkpoint
    history: list[EpochRow]
    snapshots: dict[int, Checkpoint]

    @property
    def evaluated(self) -> Checkpoint:
        """The generator to evaluate and to keep: the moving average, where there is one."""
        return self.average or self.generator


def final_metrics(trained: TrainedGAN, config: AdversarialConfig) -> dict[str, Any]:
    """Returns the last epoch's metrics, the number of epochs, and the sizes of the networks."""
    generator, discriminator = Generator(**trained.generator.config), Discriminator(**trained.discriminator.config)
    return {
        **{name: value for name, value in trained.history[-1].items() if name != "epoch"},
        "epochs": len(trained.history),
        "parameters_generator": sum(parameter.numel() for parameter in generator.parameters()),
        "parameters_discriminator": sum(parameter.numel() for parameter in discriminator.parameters()),
        "records": config.records.model_dump(),
    }


def train_gan(
    data: ImageSet,
    config: AdversarialConfig,
    store: StateStore,
    on_epoch: OnEpoch,
    evaluation_data: EvaluationData | None = None,
) -> TrainedGAN:
    """Trains a generator and a discriminator on `data`; see `training.loop.train` for `store` and `on_epoch`.

    An epoch is one of the discriminator: `config.images_per_epoch` images.

    Arguments:
        evaluation_data: what the networks are evaluated with after each epoch; None for no evaluation.
    """

    def wanted(epoch: int) -> bool:
        return epoch in (1, config.epochs) or epoch % config.snapshot_every == 0

    def evaluated(step: AdversarialStep) -> Generator:
        return step.generator if step.average is None else averaged_generator(step.average.average, config)

    run = train(
        lambda device, dtype: AdversarialStep(config, device, dtype),
        data,
        config,
        store,
        (f"{__name__}:train_gan", objectives.code_of(config.objective)),
        evaluate=Evaluator(data, evaluation_data, config) if evaluation_data else lambda step: {},
        evaluation={"test": evaluation_data.held_out.sha256, "classifier": evaluation_data.classifier.sha256}
        if evaluation_data
        else {},
        snapshot=lambda step, epoch: evaluated(step).state_dict() if wanted(epoch) else None,
        on_epoch=on_epoch,
    )
    step, origin = run.step, {"seed": config.seed, "data_sha256": data.sha256}
    last = {**origin, "epoch": config.epochs}
    averaged = {} if config.ema_decay is None else {"ema_decay": config.ema_decay}

    def generator(weights: nn.Module | Mapping[str, Tensor], **training: Any) -> Checkpoint:
        return checkpoint_of(weights, "Generator", generator_arguments(config), {**origin, **training})

    return TrainedGAN(
        generator=generator(step.generator, epoch=config.epochs),
        average=generator(evaluated(step), epoch=config.epochs, **averaged) if step.average else None,
        discriminator=checkpoint_of(step.discriminator, "Discriminator", discriminator_arguments(config), last),
        history=run.history,
        # A run that was extended also holds the last epoch of the shorter one.
        snapshots={
            epoch: generator(weights, epoch=epoch, **averaged)
            for epoch, weights in sorted(run.snapshots.items())
            if wanted(epoch)
        },
    )
