"""Nodes of `train_wgan`."""

from __future__ import annotations

from fashion_dgm.config import WGANConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.adversarial import Trained
from fashion_dgm.pipelines.types import Checkpoint, StateStore

__all__ = ["train_wgan"]


def train_wgan(
    train: ImageSet, test: ImageSet, classifier: Checkpoint, store: StateStore, config: WGANConfig
) -> Trained:
    """Trains the assignment's WGAN, or the variant that its parameters describe."""
    from fashion_dgm.gans import training
    from fashion_dgm.gans.records import Witnesses
    from fashion_dgm.pipelines.adversarial import outputs
    from fashion_dgm.pipelines.tracking import log_epoch
    from fashion_dgm.training.distributed.launch import launch

    witnesses = Witnesses(test, classifier)
    trained = launch(training.train_gan, config, log_epoch, data=train, store=store, witnesses=witnesses)
    return outputs(trained, config)
