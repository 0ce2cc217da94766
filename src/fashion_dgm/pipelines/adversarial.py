"""What the pipelines of adversarial training share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kedro.pipeline import Node, Pipeline

from fashion_dgm.config import AdversarialConfig, ReportConfig
from fashion_dgm.pipelines.types import Checkpoint, DataFrame, Figure, TrainedGAN

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Trained", "adversarial_pipeline", "outputs", "plot_snapshots"]

Trained = tuple[Checkpoint, Checkpoint, dict[int, Checkpoint], DataFrame, dict[str, Any]]


def outputs(trained: TrainedGAN, config: AdversarialConfig) -> Trained:
    """Returns generator, discriminator, snapshots, history and final metrics, as the catalog has them.

    Where training kept a moving average of the generator, that is the generator.
    """
    import pandas as pd

    from fashion_dgm.registry import build_model

    def size(checkpoint: Checkpoint) -> int:
        return sum(parameter.numel() for parameter in build_model(checkpoint, checkpoint.architecture).parameters())

    metrics = {
        **trained.history[-1],
        "epochs": len(trained.history),
        "parameters_generator": size(trained.generator),
        "parameters_discriminator": size(trained.discriminator),
        "records": config.records.model_dump(),
    }
    del metrics["epoch"]
    generator = trained.average or trained.generator
    return generator, trained.discriminator, trained.snapshots, pd.DataFrame(trained.history), metrics


def samples_of(snapshots: Mapping[int, Callable[[], Checkpoint]], n: int, seed: int) -> dict[int, NDArray]:
    """Returns what each epoch's generator makes of the same `n` latents: floats in `[0, 1]`, `(n, 1, 28, 28)`."""
    from fashion_dgm.gans.networks import Generator
    from fashion_dgm.registry import build_model
    from fashion_dgm.training.seeds import generator

    samples = {}
    for epoch, load in snapshots.items():
        network = build_model(load(), "Generator")
        assert isinstance(network, Generator)
        samples[epoch] = network.sample(n, generator(seed, "strip")).numpy()
    return samples


def plot_snapshots(snapshots: dict[int, Callable[[], Checkpoint]], config: ReportConfig) -> Figure:
    """Draws what the generator makes of the same latents, epoch by epoch."""
    from fashion_dgm.reporting.figures import snapshot_strip

    return snapshot_strip(samples_of(snapshots, config.grid_columns, config.seed))


def adversarial_pipeline(model: str, train: Callable[..., Trained]) -> Pipeline:
    """Returns the pipeline that trains `model`, such as "gan", by the node function `train`, and draws its snapshots."""

    def animate_snapshots(snapshots: dict[int, Callable[[], Checkpoint]], config: ReportConfig) -> bytes:
        """Animates what the generator makes of the same latents, and logs each epoch's as an image."""
        from fashion_dgm.pipelines.tracking import log_samples
        from fashion_dgm.reporting.animation import animation

        samples = samples_of(snapshots, config.grid_columns * config.animation_rows, config.seed)
        log_samples(model, snapshots, samples, config.grid_columns)
        return animation(samples, config.grid_columns, config.animation_milliseconds)

    return Pipeline(
        [
            Node(
                train,
                ["train", "test", "reference_classifier", f"{model}_state", f"params:train_{model}"],
                [f"{model}_{part}" for part in ("generator", "discriminator", "snapshots", "history", "metrics")],
                name=f"train_{model}",
                tags="gpu",
            ),
            Node(
                plot_snapshots,
                [f"{model}_snapshots", "params:report"],
                f"{model}_strip_figure",
                name=f"plot_{model}_snapshots",
            ),
            Node(
                animate_snapshots,
                [f"{model}_snapshots", "params:report"],
                f"{model}_animation",
                name=f"animate_{model}_snapshots",
            ),
        ]
    )
