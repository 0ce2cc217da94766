"""Parameters of models small enough for seconds, and a training step of every family."""

from typing import Any

import torch
from torch import Tensor, nn

from fashion_dgm.classifier.training import ClassifierStep
from fashion_dgm.config import (
    ClassifierConfig,
    FlowTrainingConfig,
    GANConfig,
    MixtureFlowConfig,
    RealNVPConfig,
    ResidualFlowConfig,
    ResidualFlowTrainingConfig,
    SeriesConfig,
    WGANConfig,
)
from fashion_dgm.flows.coupling import AffineCoupling, MixtureCoupling, ResidualConditioner
from fashion_dgm.flows.coupling_flow import MixtureFlow, RealNVP
from fashion_dgm.flows.partition import Partition
from fashion_dgm.flows.training import FlowStep
from fashion_dgm.gans.steps import AdversarialStep
from fashion_dgm.training.step import Step
from tests.conftest import made_up_images

CPU = torch.device("cpu")
COUPLINGS = {"scales": 2, "checkerboard_couplings": 2, "channel_couplings": 2, "hidden_channels": 6}
COUPLINGS |= {"residual_blocks": 1, "logit_alpha": 1e-6}
RESIDUAL_BLOCKS = {"scales": 2, "blocks": 1, "hidden_channels": 4, "linear_blocks": 1, "linear_width": 3}
RESIDUAL_BLOCKS |= {"squeeze_first": True, "factor_out": False, "logit_alpha": 1e-6}
COMMON = {"epochs": 1, "batch_size": 16, "seed": 0, "device": "cpu", "precision": "float32"}
ADAM, RMSPROP = {"name": "adam", "learning_rate": 1e-3}, {"name": "rmsprop", "learning_rate": 1e-3}
FLOW = {**COMMON, "optimizer": ADAM, "max_gradient_norm": 10.0, "evaluation_images": 8}
ADVERSARIAL = {**COMMON, "latent_dim": 8, "width": 4, "snapshot_every": 1}
CLIP, PENALTY = {"name": "clip", "bound": 0.01}, {"name": "gradient_penalty", "weight": 10}
SPECTRAL = {"name": "spectral_norm"}
# Turns of unequal length, a moving average and no BatchNorm: all the state that a variant can have.
WGAN_GP = {"optimizer": ADAM, "lipschitz": PENALTY, "normalisation": {"discriminator": "layer"}, "ema_decay": 0.9}
WGAN_GP |= {"warmup": {"critic_steps": 4, "generator_steps": 2, "every": 5}}
CLASSIFIER = {"width": 4, "feature_dim": 8, "flip": True, "max_shift": 2, "label_smoothing": 0.1}
CLASSIFIER |= {"optimizer": {"name": "adamw", "learning_rate": 1e-3, "weight_decay": 0.1}}
CLASSIFIER |= {"schedule": {"warmup_steps": 10, "final_step": 50}}


def realnvp_config(**changes: Any) -> RealNVPConfig:
    return RealNVPConfig(**{**COUPLINGS, **changes})


def mixture_config(**changes: Any) -> MixtureFlowConfig:
    return MixtureFlowConfig(**{**COUPLINGS, "components": 2, **changes})


def residual_config(**changes: Any) -> ResidualFlowConfig:
    return ResidualFlowConfig(**{**RESIDUAL_BLOCKS, "evaluation": SeriesConfig(exact_terms=5), **changes})


def coupling(partition: Partition, channels: int, components: int = 0) -> AffineCoupling | MixtureCoupling:
    """An affine coupling, or one of mixtures if `components` are given."""
    half = partition.split(torch.empty(1, channels, 2, 2))[0].shape[1]
    if components:
        conditioner = ResidualConditioner(half, 6, MixtureCoupling.parts(components) * half, 1)
        return MixtureCoupling(partition, conditioner, components)
    return AffineCoupling(partition, ResidualConditioner(half, 6, 2 * half, 1))


def make_flow(shape: tuple[int, int, int] = (1, 8, 8), size: float = 0.2, **changes: Any) -> RealNVP | MixtureFlow:
    """A flow in float64, a mixture flow if `components` are given; `size` moves its parameters off the identity."""
    torch.manual_seed(0)
    made = (
        MixtureFlow(mixture_config(**changes), shape)
        if "components" in changes
        else RealNVP(realnvp_config(**changes), shape)
    )
    return perturb(made.double().eval(), size)


def flow_config(**changes: Any) -> FlowTrainingConfig:
    """Of the training of a RealNVP, unless another model is named."""
    return FlowTrainingConfig(**{**FLOW, "model": COUPLINGS, **changes})


def residual_flow_config(**changes: Any) -> ResidualFlowTrainingConfig:
    return ResidualFlowTrainingConfig(
        **{**FLOW, "model": residual_config(), "speed": {"channels_last": False}, **changes}
    )


def gan_config(**changes: Any) -> GANConfig:
    return GANConfig(**{**ADVERSARIAL, "optimizer": ADAM, **changes})


def wgan_config(**changes: Any) -> WGANConfig:
    return WGANConfig(**{**ADVERSARIAL, "optimizer": RMSPROP, "n_critic": 3, "lipschitz": CLIP, **changes})


def classifier_config(**changes: Any) -> ClassifierConfig:
    return ClassifierConfig(**{**COMMON, **CLASSIFIER, **changes})


STEPS = {
    "realnvp": flow_config(ema_decay=0.9, schedule={"warmup_steps": 4, "half_life_steps": 2}),
    "residual_flow": residual_flow_config(ema_decay=0.5),
    "classifier": classifier_config(),
    "gan": gan_config(),
    "gan_averaged": gan_config(ema_decay=0.9, n_discriminator=2, objective="saturating"),
    "wgan": wgan_config(),
    "wgan_gp": wgan_config(**WGAN_GP),
    "wgan_sn": wgan_config(lipschitz=SPECTRAL, normalisation={"discriminator": "none"}),
}
"""Parameters of a training of every family and of variants whose state differs."""


def make_step(config: Any, precision: torch.dtype = torch.float32, device: torch.device = CPU, seed: int = 0) -> Step:
    kinds = {FlowTrainingConfig: FlowStep, ResidualFlowTrainingConfig: FlowStep, ClassifierConfig: ClassifierStep}
    torch.manual_seed(seed)
    return kinds.get(type(config), AdversarialStep)(config, device, precision)


def batch(number: int = 0, device: torch.device = CPU) -> tuple[Tensor, Tensor]:
    """Images, uint8 `(16, 1, 28, 28)`, and their labels."""
    images = made_up_images(16, seed=number)
    return torch.from_numpy(images.images).to(device), torch.from_numpy(images.labels).to(device).long()


def run_steps(step: Step, numbers: range, device: torch.device = CPU) -> list[dict[str, Tensor]]:
    """The metrics of steps, each with noise and a batch of its number."""
    history = []
    for number in numbers:
        torch.manual_seed(number)
        history.append(step.step(*batch(number, device)))
    return history


def perturb(module: nn.Module, size: float = 0.1) -> nn.Module:
    """Moves every parameter off its start, so that couplings and ActNorm are no identities."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += size * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
    return module
