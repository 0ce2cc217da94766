"""Nodes of `train_classifier`."""

from typing import Any

from fashion_dgm.config import ClassifierConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.late import Checkpoint, DataFrame, StateStore
from fashion_dgm.pipelines.tracking import log_epoch

__all__ = ["train_classifier"]


def train_classifier(
    train: ImageSet, test: ImageSet, benchmark: ImageSet, store: StateStore, config: ClassifierConfig
) -> tuple[Checkpoint, DataFrame, dict[str, Any]]:
    """Trains the reference classifier."""
    import pandas as pd

    from fashion_dgm.classifier import training as training
    from fashion_dgm.training.distributed.launch import launch

    classifier, history = launch(
        training.train_classifier, config, log_epoch, data=train, test=test, benchmark=benchmark, store=store
    )
    metrics = {**history[-1], "benchmark_accuracy": classifier.training["benchmark_accuracy"]}
    return classifier, pd.DataFrame(history), metrics
