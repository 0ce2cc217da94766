"""The networks that checkpoints hold, by the names of their architectures."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import nn

from fashion_dgm.checkpoint import Checkpoint, CheckpointError, rebuild
from fashion_dgm.classifier.network import Classifier
from fashion_dgm.flows.families import build_flow, flow_types, rebuild_flow
from fashion_dgm.flows.flow import Flow
from fashion_dgm.gans.networks import Discriminator, Generator
from fashion_dgm.nested import flatten
from fashion_dgm.training.device import resolve_device

__all__ = ["build_model", "load_flow"]

N = TypeVar("N", bound=nn.Module)

# Of layers, channels and iterations in a checkpoint whose weights are small.
MOST = 10_000

OTHERS: Mapping[str, Callable[..., nn.Module]] = {
    network.__name__: network for network in (Generator, Discriminator, Classifier)
}
"""By name, networks other than flows, which a checkpoint's `config` are the arguments of."""


def build_model(checkpoint: Checkpoint | None, architecture: str) -> nn.Module:
    """Rebuilds the network of `checkpoint` as `checkpoint.rebuild` does, by the name of its architecture.

    Raises:
        CheckpointError: as `rebuild` does, or if the weights are none that a training leaves.
    """
    if checkpoint is not None:
        _check_plausible(checkpoint)
    if architecture in flow_types():
        return _of_right_types(rebuild_flow(checkpoint, architecture), checkpoint)
    if architecture not in OTHERS:
        raise CheckpointError(f"there is no architecture {architecture}; another version of the package may have it")
    return _of_right_types(rebuild(checkpoint, architecture, lambda config: OTHERS[architecture](**config)), checkpoint)


def load_flow(checkpoint: Checkpoint, device: str) -> Flow:
    """Rebuilds the flow of a checkpoint in evaluation mode, whichever flow it is, on `device`."""
    _check_plausible(checkpoint)
    flow = _of_right_types(build_flow(checkpoint), checkpoint)
    # Convolutions on a CPU take a third less time in this layout.
    return flow.to(resolve_device(device)).to(memory_format=torch.channels_last)


def _check_plausible(checkpoint: Checkpoint) -> None:
    """Refuses weights that are not finite, and a network far larger than its weights, before memory is taken for it."""
    for name, tensor in checkpoint.weights.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise CheckpointError(
                f"the weights {name} of this {checkpoint.architecture} hold NaN or infinity; train it again"
            )
    largest = max((size for tensor in checkpoint.weights.values() for size in tensor.shape), default=0)
    for name, value in flatten(checkpoint.config).items():
        if isinstance(value, int) and value > max(largest, MOST):
            raise CheckpointError(
                f"this {checkpoint.architecture} checkpoint asks for {name} = {value:,}, which its weights cannot be of: it "
                "is damaged, or was not made by this package"
            )


def _of_right_types(network: N, checkpoint: Checkpoint | None) -> N:
    """Refuses weights of another type than the network's, which torch would convert without a word."""
    assert checkpoint is not None
    for name, tensor in network.state_dict().items():
        found = checkpoint.weights[name]
        if found.dtype != tensor.dtype:
            raise CheckpointError(
                f"the weights {name} of this {checkpoint.architecture} checkpoint are {found.dtype}, not {tensor.dtype}; "
                "it was changed, or made by another version of the code; train it again"
            )
    return network
