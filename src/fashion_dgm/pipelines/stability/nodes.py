"""Nodes of `stability`."""

from __future__ import annotations

from typing import Any

from fashion_dgm.config import GANConfig, PenalisedWGANConfig, StabilityConfig, WGANConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.types import Checkpoint, DataFrame, Figure, StateStore

__all__ = ["judge_runs", "plot_curves", "plot_measures", "plot_verdict", "train_runs"]


def train_runs(
    train: ImageSet,
    test: ImageSet,
    classifier: Checkpoint,
    store: StateStore,
    gan: GANConfig,
    wgan: WGANConfig,
    wgan_penalty: PenalisedWGANConfig,
    config: StabilityConfig,
) -> dict[str, Any]:
    """Trains and scores every model under every variation and seed; a run that diverges is a result."""
    from functools import partial

    from fashion_dgm.pipelines.tracking import log_run
    from fashion_dgm.stability.grid import plans
    from fashion_dgm.stability.runs import Study, conduct
    from fashion_dgm.sweep import spread

    study = Study(train, test, classifier, config.samples, store.folder)
    several = partial(spread, at_a_time=config.parallel, gpus=config.gpus_per_run) if config.parallel > 1 else None
    records = conduct(study, plans(config, gan, wgan, wgan_penalty), several, log_run)
    return {"records": [record.to_json() for record in records], **study.yardstick(config.device)}


def judge_runs(found: dict[str, Any], config: StabilityConfig) -> tuple[DataFrame, dict[str, Any]]:
    """Measures each run, and compares the models measure by measure."""
    import pandas as pd

    from fashion_dgm.stability.measures import RunRecord
    from fashion_dgm.stability.summary import rows_of, summarise

    rows = rows_of([RunRecord.from_json(record) for record in found["records"]], config)
    yardstick = {name: value for name, value in found.items() if name != "records"}
    asked = config.model_dump(
        include={"seeds", "epochs", "images_per_epoch", "batch_size", "width", "baseline", "confidence"}
        | {"missing_share", "missing_classes", "least_progress"},
    )
    return pd.DataFrame(rows), {**summarise(rows, config), **yardstick, **asked}


def plot_curves(found: dict[str, Any]) -> Figure:
    """Draws the distance of every run over training, a panel for each model and variation."""
    from fashion_dgm.reporting.figures import stability_curves

    return stability_curves(found["records"], found["floor"])


def plot_measures(metrics: dict[str, Any]) -> Figure:
    """Draws the means of all measures as a heat map."""
    from fashion_dgm.reporting.figures import stability_measures

    return stability_measures(metrics["cells"])


def plot_verdict(metrics: dict[str, Any]) -> Figure:
    """Draws the differences between models with their intervals."""
    from fashion_dgm.reporting.figures import stability_verdict

    return stability_verdict(metrics["verdicts"])
