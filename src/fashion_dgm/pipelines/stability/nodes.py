"""Nodes of `stability`."""

from typing import Any

from fashion_dgm.config import GANConfig, PenalisedWGANConfig, SpectralGANConfig, StabilityConfig, WGANConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.late import Checkpoint, DataFrame, Figure, StateStore, figures
from fashion_dgm.pipelines.tracking import log_run

__all__ = ["compare_models", "plot_curves", "plot_measures", "plot_verdict", "train_runs"]


def train_runs(
    train: ImageSet,
    test: ImageSet,
    benchmark: ImageSet,
    classifier: Checkpoint,
    store: StateStore,
    gan: GANConfig,
    wgan: WGANConfig,
    gan_spectral: SpectralGANConfig,
    wgan_penalty: PenalisedWGANConfig,
    config: StabilityConfig,
) -> dict[str, Any]:
    """Trains and scores every model, as assigned and varied, with every seed; a run that diverges is a result."""
    from functools import partial

    from fashion_dgm.experiments.stability.grid import plans
    from fashion_dgm.experiments.stability.parallel import spread
    from fashion_dgm.experiments.stability.runs import Study, conduct

    study = Study(train, test, benchmark, classifier, config.samples, store.folder)
    runs = plans(config, gan, wgan, gan_spectral, wgan_penalty)
    several = partial(spread, at_a_time=config.parallel, gpus=config.gpus_per_run) if config.parallel > 1 else None
    records = conduct(study, runs, several, log_run)
    return {
        "records": [record.to_json() for record in records],
        "reference": study.reference(runs[0].config),
        "config": config.model_dump(mode="json"),
    }


def compare_models(found: dict[str, Any]) -> tuple[DataFrame, dict[str, Any]]:
    """Measures each run, and compares the models measure by measure."""
    from fashion_dgm.experiments.stability.measures import RunRecord
    from fashion_dgm.experiments.stability.summary import rows_of, summarise

    # The parameters of the runs, whatever they are by now.
    config = StabilityConfig(**found["config"])
    records = [RunRecord.from_json(record) for record in found["records"]]
    rows = rows_of(records, config, found["reference"]["untrained"])
    return rows, {**summarise(rows, config), **found["reference"], "config": found["config"]}


def plot_curves(found: dict[str, Any]) -> Figure:
    """Draws the distance of every run over training, a panel for each model and variation."""
    return figures.stability_curves(found["records"], found["reference"])


def plot_measures(metrics: dict[str, Any]) -> Figure:
    """Draws the means of all measures as a heat map."""
    return figures.stability_measures(metrics["cells"])


def plot_verdict(metrics: dict[str, Any]) -> Figure:
    """Draws the differences between models with their intervals."""
    from fashion_dgm.findings.stability import stability

    return figures.stability_verdict(stability(metrics).comparisons)
