"""Adversarial training: networks, objectives, what bounds a critic's slope, training steps."""

from fashion_dgm.gans.lipschitz import clip_weights
from fashion_dgm.gans.networks import Discriminator, Generator
from fashion_dgm.gans.steps import AdversarialStep, GANStep, WGANStep
from fashion_dgm.gans.training import TrainedGAN, train_gan, train_wgan

__all__ = [
    "AdversarialStep",
    "Discriminator",
    "GANStep",
    "Generator",
    "TrainedGAN",
    "WGANStep",
    "clip_weights",
    "train_gan",
    "train_wgan",
]
