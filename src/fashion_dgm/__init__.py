"""Normalizing flows and GANs on FashionMNIST: models, training, evaluation and the pipelines around them."""

__version__ = "0.1.0"
