"""Parameters of the studies of adversarial training."""

from typing import Self

from pydantic import Field, PositiveFloat, PositiveInt, ValidationError, model_validator

from fashion_dgm.config.base import Config, Device, Fraction, Seed, Several
from fashion_dgm.config.gans import GradientPenaltyConfig, NormalisationConfig, SpectralNormConfig, WGANConfig
from fashion_dgm.config.training import OptimizerConfig
from fashion_dgm.errors import FashionDGMError

__all__ = [
    "DiracConfig",
    "PenalisedWGANConfig",
    "SpectralGANConfig",
    "StabilityConfig",
    "UniformsConfig",
    "VanishingGradientsConfig",
    "VariationRangesConfig",
]


class PenalisedWGANConfig(Config):
    """What a gradient penalty in place of the clip (WGAN-GP, Gulrajani et al., 2017) changes of the assignment's WGAN."""

    n_critic: PositiveInt = Field(description="steps of the critic for one of the generator")
    lipschitz: GradientPenaltyConfig = Field(description="the penalty")
    normalisation: NormalisationConfig = Field(description="normalisation within the networks")
    optimizer: OptimizerConfig = Field(description="optimizer of both networks")

    def applied_to(self, wgan: WGANConfig) -> WGANConfig:
        """Returns the configuration of the WGAN with the penalty.

        Raises:
            FashionDGMError: if a setting of the WGAN's excludes it.
        """
        # Blocks are replaced whole: one optimizer has no betas of another.
        values = {
            **wgan.model_dump(),
            "generator_optimizer": None,
            "discriminator_optimizer": None,
            **self.model_dump(),
        }
        try:
            return WGANConfig(**values)
        except ValidationError as error:
            reasons = "; ".join(entry["msg"] for entry in error.errors())
            raise FashionDGMError(f"these settings of train_wgan cannot train wgan_penalty: {reasons}") from error


class SpectralGANConfig(Config):
    """What spectral normalisation of the discriminator (SN-GAN, Miyato et al., 2018) changes of the assignment's GAN."""

    lipschitz: SpectralNormConfig = Field(description="spectral normalisation")
    normalisation: NormalisationConfig = Field(description="normalisation within the networks")


class UniformsConfig(Config):
    """Distances between two uniform distributions, one of them shifted."""

    shifts: tuple[float, ...] = Field(min_length=1, description="shifts at which distances are estimated from samples")
    samples: PositiveInt = Field(description="samples of each distribution")
    bins: Several = Field(description="bins of the histograms")
    repetitions: Several = Field(description="repetitions of each estimate, with new draws")


class DiracConfig(Config):
    """GANs on one point: docs/theory/convergence.md."""

    start: tuple[float, float] = Field(
        description="starting point of generator and discriminator; the equilibrium is (0, 0)"
    )
    step_size: PositiveFloat = Field(description="step size of gradient descent")
    steps: PositiveInt = Field(description="steps of the generator, each after one of the discriminator")
    clip: PositiveFloat = Field(description="bound of the clipped critic's gradient norm")
    gradient_penalty: PositiveFloat = Field(description="weight of the penalty on gradient norms other than 1")
    r1: PositiveFloat = Field(description="weight of the penalty on the squared gradient norm at real images")


class VanishingGradientsConfig(Config):
    """Discriminators trained against frozen generators."""

    snapshots: PositiveInt = Field(
        description=(
            "number of epochs of the trained GAN, including the first and the last; an untrained "
            "generator is always added"
        )
    )
    seeds: PositiveInt = Field(description="number of seeds for the discriminator's weights, batches and latents")
    steps: int = Field(ge=10, description="training steps of each discriminator")
    batch_size: Several = Field(description="images of a step")
    gradient_batches: Several = Field(
        description="batches of latents over which the variance of a gradient is computed"
    )
    uniforms: UniformsConfig = Field(description="distances of uniform distributions")
    dirac: DiracConfig = Field(description="Dirac-GANs")
    seed: Seed
    device: Device


class VariationRangesConfig(Config):
    """What variations of the training settings are drawn from, the same for all models."""

    learning_rate_factor: tuple[PositiveFloat, PositiveFloat] = Field(
        description="factor of both learning rates, log-uniform between the two bounds"
    )
    discriminator_steps: tuple[PositiveInt, PositiveInt] = Field(
        description="steps of the discriminator or critic for one of the generator, uniform from the first to the last"
    )
    unnormalised: float = Field(ge=0, le=1, description="probability that BatchNorm is removed from both networks")

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> Self:
        for name in ("learning_rate_factor", "discriminator_steps"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} must begin with its smaller bound, not with {low}")
        return self


class StabilityConfig(Config):
    """Short trainings of every model, as assigned and under drawn variations, with several seeds."""

    seeds: PositiveInt = Field(description="number of seeds, from `seed` on")
    variations: PositiveInt = Field(description="variations drawn for each seed, the same for all models")
    ranges: VariationRangesConfig = Field(description="ranges from which variations are drawn")
    epochs: PositiveInt = Field(description="epochs of `generator_steps` each")
    generator_steps: PositiveInt = Field(
        description="generator steps in an epoch; the number of discriminator or critic steps follows from the settings"
    )
    batch_size: Several = Field(description="images of a step")
    width: PositiveInt = Field(description="width of the networks, as in `train_gan`")
    snapshot_every: PositiveInt = Field(description="epochs between two distances; oscillation needs at least three")
    samples: Several = Field(description="images on each side of a distance")
    least_progress: Fraction = Field(
        description="fraction by which a model, as assigned, must reduce its first distance to be called stable"
    )
    missing_fraction: Fraction = Field(description="a class with a smaller fraction of the samples counts as missing")
    missing_classes: int = Field(ge=1, le=10, description="number of missing classes that count as a collapse")
    confidence: Fraction = Field(description="simultaneous confidence of all comparisons of the primary measure")
    parallel: PositiveInt = Field(description="runs at a time; more than one need Ray: docs/how-to/many-gpus.md")
    gpus_per_run: float = Field(ge=0, description="GPUs of each run; a fraction lets runs share one")
    seed: Seed
    device: Device
