"""Nodes of `train_mixture_flow`."""

from __future__ import annotations

from fashion_dgm.config import MixtureFlowTrainingConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.train_flow.nodes import Trained, train_coupling_flow
from fashion_dgm.pipelines.types import StateStore

__all__ = ["train_mixture_flow"]


def train_mixture_flow(
    train: ImageSet, test: ImageSet, store: StateStore, config: MixtureFlowTrainingConfig
) -> Trained:
    """Trains the mixture flow as RealNVP is trained."""
    return train_coupling_flow(train, test, store, config)
