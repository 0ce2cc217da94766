"""Layout and compilation of networks."""

from typing import TypeVar

import torch
from torch import nn

from fashion_dgm.config import SpeedConfig

__all__ = ["accelerate", "begin_step"]

M = TypeVar("M", bound=nn.Module)


def accelerate(network: M, speed: SpeedConfig, device: torch.device) -> M:
    """Returns `network` on `device`, in the layout and compiled as `speed` asks; names of weights stay.

    Channels last is the layout that convolution kernels work in; any other is converted at every layer. Compiling with
    "reduce-overhead" records CUDA graphs where there is a GPU.
    """
    network = network.to(device)
    if speed.channels_last:
        network = network.to(memory_format=torch.channels_last)
    if speed.compile != "none":
        network.compile(mode=speed.compile)
    return network


def begin_step(speed: SpeedConfig) -> None:
    """Announces a training step, before its first forward pass.

    A CUDA graph returns tensors in memory that a later step reuses. Without being told where a step begins, torch takes a
    network's second call in one step, such as the discriminator's for generated images, for the next step.
    """
    if speed.compile == "reduce-overhead":
        torch.compiler.cudagraph_mark_step_begin()
