"""Nodes of `train_background_flow`."""

from __future__ import annotations

from fashion_dgm.config import BackgroundFlowConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.types import Checkpoint, DataFrame, StateStore

__all__ = ["train_background_flow"]


def train_background_flow(
    train: ImageSet, test: ImageSet, store: StateStore, config: BackgroundFlowConfig
) -> tuple[Checkpoint, DataFrame]:
    """Trains RealNVP on mutated images."""
    import pandas as pd

    from fashion_dgm.data.mutate import mutate
    from fashion_dgm.flows.training import fit_flow
    from fashion_dgm.pipelines.tracking import log_epoch
    from fashion_dgm.training.distributed.launch import launch
    from fashion_dgm.training.seeds import derive_seed

    noised, held_out = (
        ImageSet(mutate(images.images, config.mutation_rate, derive_seed(config.seed, "mutate", name)), images.labels)
        for name, images in (("train", train), ("test", test))
    )
    fitted = launch(fit_flow, config, log_epoch, data=noised, test=held_out, store=store)
    return fitted.flow, pd.DataFrame(fitted.history)
