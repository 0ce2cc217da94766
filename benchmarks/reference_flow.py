"""RealNVP from the parts of `normflows` (PyPI), as equal to this project's as those parts allow.

Equal: scales, couplings of each kind at each scale and their order, hidden channels, residual blocks of two 3x3 convolutions
in each coupling's network, an ActNorm before each coupling, the logit, a squeeze and the factoring out of half of the
channels, a fixed standard normal at every scale, optimizer, gradient clipping, batch.

Not equal:

- This project's checkerboard couplings work on space-to-depth halves, `(2C, H/2, W/2)`. `normflows` has two forms:
  "packed" (`AffineCouplingBlock`, `split_mode="checkerboard"`) packs each colour along the width, `(C, H, W/2)`: twice the
  positions. "masked" (`MaskedAffineFlow`) is the textbook's, at full resolution over zeros: four times the positions, and a
  network each for shift and scale.
- Its `ConvResidualNet` begins and ends with 1x1 convolutions, in the place of 3x3 ones here, which is less work.
- Its log-scales are what the network returns; here they are a learned scale times a tanh. Its last layers are set to zero
  after construction, as this project's are, since an exponential of random numbers in every coupling would overflow.
"""

from itertools import pairwise
from typing import Literal

import normflows as nf
import torch
from torch import Tensor, nn

from fashion_dgm.config import AdamConfig, FlowTrainingConfig, RealNVPConfig

__all__ = ["Form", "NormflowsStep", "normflows_realnvp"]

Form = Literal["packed", "masked"]
Shape = tuple[int, int, int]


def normflows_realnvp(config: RealNVPConfig, form: Form, shape: Shape = (1, 28, 28)) -> nf.MultiscaleFlow:
    """Returns the model for images `shape`, whose height and width can be halved `config.scales` times.

    Arguments:
        form: of the checkerboard couplings.
    """
    levels, latents = [], []
    for index in range(config.scales):
        channels, height, width = shape
        squeezed = (4 * channels, height // 2, width // 2)
        steps: list[nn.Module] = []
        for number in range(config.checkerboard_couplings):
            steps.append(nf.flows.ActNorm((channels, 1, 1)))
            steps.append(_packed(config, channels, number) if form == "packed" else _masked(config, shape, number))
        steps.append(nf.flows.Squeeze())
        for number in range(config.channel_couplings):
            steps.append(nf.flows.ActNorm((squeezed[0], 1, 1)))
            steps.append(_channels(config, squeezed[0], number))
        # The library's lists go from latents to images.
        levels.append(steps[::-1])
        last = index == config.scales - 1
        shape = squeezed if last else (squeezed[0] // 2, *squeezed[1:])
        latents.append(shape)
    bases = [nf.distributions.DiagGaussian(latent, trainable=False) for latent in latents]
    merges = [nf.flows.Merge() for _ in pairwise(levels)]
    transform = nf.transforms.Logit(config.logit_alpha)
    return nf.MultiscaleFlow(bases[::-1], levels[::-1], merges, transform, class_cond=False)


class NormflowsStep:
    """One step of maximum likelihood, as in the library's README, on the images and with the clipping of `FlowStep`."""

    def __init__(self, config: FlowTrainingConfig, device: torch.device, form: Form) -> None:
        self.config = config
        self.model = normflows_realnvp(config.model, form).to(device)
        assert isinstance(config.optimizer, AdamConfig)
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=config.optimizer.learning_rate, betas=config.optimizer.betas
        )

    def step(self, images: Tensor) -> float:
        """Learns from uint8 images `(B, 1, 28, 28)` on the device and returns the loss in nats."""
        x = (images.float() + torch.rand(images.shape, device=images.device)) / 256
        self.optimizer.zero_grad()
        loss = self.model.forward_kld(x)
        if ~(torch.isnan(loss) | torch.isinf(loss)):
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.max_gradient_norm)
            self.optimizer.step()
        return loss.item()


def _network(config: RealNVPConfig, inputs: int, outputs: int) -> nn.Module:
    network = nf.nets.ConvResidualNet(inputs, outputs, config.hidden_channels, num_blocks=config.residual_blocks)
    nn.init.zeros_(network.final_layer.weight)
    nn.init.zeros_(network.final_layer.bias)
    return network


def _packed(config: RealNVPConfig, channels: int, number: int) -> nn.Module:
    mode = "checkerboard_inv" if number % 2 else "checkerboard"
    return nf.flows.AffineCouplingBlock(_network(config, channels, 2 * channels), scale_map="exp", split_mode=mode)


def _masked(config: RealNVPConfig, shape: Shape, number: int) -> nn.Module:
    channels, height, width = shape
    colours = (torch.arange(height)[:, None] + torch.arange(width) + number) % 2
    mask = colours.float().expand(channels, height, width).contiguous()
    return nf.flows.MaskedAffineFlow(mask, _network(config, channels, channels), _network(config, channels, channels))


def _channels(config: RealNVPConfig, channels: int, number: int) -> nn.Module:
    mode = "channel_inv" if number % 2 else "channel"
    network = _network(config, channels // 2, channels)
    return nf.flows.AffineCouplingBlock(network, scale_map="exp", split_mode=mode)
