"""What `train_gan` and `train_wgan` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node, Pipeline

from fashion_dgm.config import ReportConfig
from fashion_dgm.pipelines.types import Checkpoint, DataFrame, Figure, TrainedGAN

__all__ = ["Trained", "adversarial_pipeline", "outputs", "plot_snapshots"]

Trained = tuple[Checkpoint, Checkpoint, dict[int, Checkpoint], DataFrame, dict[str, Any]]


def outputs(trained: TrainedGAN) -> Trained:
    """Returns generator, discriminator, snapshots, history and final metrics, as the catalog has them."""
    import pandas as pd

    from fashion_dgm.checkpoint import build_model

    def size(checkpoint: Checkpoint) -> int:
        return sum(parameter.numel() for parameter in build_model(checkpoint, checkpoint.architecture).parameters())

    metrics = {
        **trained.history[-1],
        "epochs": len(trained.history),
        "parameters_generator": size(trained.generator),
        "parameters_discriminator": size(trained.discriminator),
    }
    del metrics["epoch"]
    return trained.generator, trained.discriminator, trained.snapshots, pd.DataFrame(trained.history), metrics


def plot_snapshots(snapshots: dict[int, Callable[[], Checkpoint]], config: ReportConfig) -> Figure:
    """Draws what the generator makes of the same latents, epoch by epoch."""
    from fashion_dgm.checkpoint import build_model
    from fashion_dgm.gans.networks import Generator
    from fashion_dgm.reporting.figures import snapshot_strip
    from fashion_dgm.training.seeds import generator

    samples = {}
    for epoch, load in snapshots.items():
        network = build_model(load(), "Generator")
        assert isinstance(network, Generator)
        samples[epoch] = network.sample(config.grid_columns, generator(config.seed, "strip")).numpy()
    return snapshot_strip(samples)


def adversarial_pipeline(model: str, train: Callable[..., Trained]) -> Pipeline:
    """Returns the pipeline that trains `model`, "gan" or "wgan", by the node function `train`, and draws its snapshots."""
    return Pipeline(
        [
            Node(
                train,
                ["train", f"{model}_state", f"params:train_{model}"],
                [f"{model}_{part}" for part in ("generator", "discriminator", "snapshots", "history", "metrics")],
                name=f"train_{model}",
                tags="gpu",
            ),
            Node(
                plot_snapshots,
                [f"{model}_snapshots", "params:report"],
                f"{model}_strip",
                name=f"plot_{model}_snapshots",
            ),
        ]
    )
