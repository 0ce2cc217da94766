"""Nodes of `vanishing_gradients`."""

from typing import Any

from fashion_dgm.config import GANConfig, PenalisedWGANConfig, VanishingGradientsConfig, WGANConfig
from fashion_dgm.data.images import ImageSet
from fashion_dgm.pipelines.late import DataFrame, Figure, Snapshots, figures
from fashion_dgm.pipelines.tracking import log_gradients

__all__ = [
    "estimate_uniforms",
    "plot_dirac",
    "plot_norms",
    "plot_uniforms",
    "plot_variance",
    "summarise",
    "train_discriminators",
]


def train_discriminators(
    train: ImageSet,
    snapshots: Snapshots,
    gan: GANConfig,
    wgan: WGANConfig,
    wgan_penalty: PenalisedWGANConfig,
    config: VanishingGradientsConfig,
) -> DataFrame:
    """Trains discriminators and critics against frozen generators, and measures the gradients they give."""
    from fashion_dgm.experiments.gradients import vanishing

    critic = wgan_penalty.applied_to(wgan)
    return vanishing.train_discriminators(train, snapshots, config, gan, critic, log_gradients)


def estimate_uniforms(config: VanishingGradientsConfig) -> DataFrame:
    """Estimates four distances between a uniform distribution and its shifts from samples."""
    from fashion_dgm.experiments.gradients.shifted_uniforms import estimates

    return estimates(config.uniforms, config.seed)


def summarise(gradients: DataFrame, uniforms: DataFrame, config: VanishingGradientsConfig) -> dict[str, Any]:
    """Summarises the gradients, and how far samples are from the exact distances."""
    from fashion_dgm.experiments.gradients.shifted_uniforms import largest_errors
    from fashion_dgm.experiments.gradients.vanishing import summarise_gradients

    return {
        "gradients": summarise_gradients(gradients),
        "uniforms": largest_errors(uniforms),
        "seeds": config.seeds,
        "steps": config.steps,
        "batch_size": config.batch_size,
        "gradient_batches": config.gradient_batches,
        "samples": config.uniforms.samples,
    }


def plot_norms(gradients: DataFrame) -> Figure:
    """Draws the norm of the generator's gradient against the discriminator's steps, under each loss."""
    return figures.gradient_norms(gradients)


def plot_variance(gradients: DataFrame) -> Figure:
    """Draws the mean and variance of the generator's gradient."""
    return figures.gradient_variance(gradients)


def plot_uniforms(uniforms: DataFrame) -> Figure:
    """Draws the four distances, exact and estimated."""
    return figures.uniform_curves(uniforms)


def plot_dirac(config: VanishingGradientsConfig) -> Figure:
    """Draws the vector field of six GANs on one point, with paths of gradient descent."""
    return figures.dirac_portraits(config.dirac)
