"""Adversarial training: networks, objectives, Lipschitz constraints, training steps."""

from fashion_dgm.gans.lipschitz import clip_weights
from fashion_dgm.gans.networks import Discriminator, Generator
from fashion_dgm.gans.objectives import OBJECTIVES, Objective
from fashion_dgm.gans.steps import AdversarialStep
from fashion_dgm.gans.training import TrainedGAN, train_gan

__all__ = [
    "OBJECTIVES",
    "AdversarialStep",
    "Discriminator",
    "Generator",
    "Objective",
    "TrainedGAN",
    "clip_weights",
    "train_gan",
]
