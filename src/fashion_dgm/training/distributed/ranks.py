"""What the processes of a distributed run do together; where there is one process alone, next to nothing.

Each process is a *rank*. One of them, the main one, runs on the machine where the command was given: it alone saves,
evaluates and reports.

Gradients are averaged by one call before each optimizer step, not by torch's `DistributedDataParallel`. That wrapper
expects one forward pass before each backward pass; a discriminator's step has two (real and fake images), the
generator's goes through the discriminator without gradients for its weights, and BatchNorm's statistics, which the
wrapper would copy between the two, are part of the first one's graph. What the wrapper gains by sending gradients while
others are still computed is little here: the networks have a few million weights, which travel in one message.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from fashion_dgm.errors import FashionDGMError

__all__ = [
    "average",
    "average_gradients",
    "broadcast_parameters",
    "elect_main",
    "from_main",
    "gathered",
    "is_main",
    "rank",
    "world_size",
]

T = TypeVar("T")

_main = 0


def world_size() -> int:
    """Returns how many ranks there are, 1 where nothing is distributed."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Returns the number of this rank, from 0."""
    return dist.get_rank() if world_size() > 1 else 0


def is_main() -> bool:
    """Whether this rank is the main one."""
    return rank() == _main


def elect_main(candidate: bool) -> None:
    """Makes the first rank that is a candidate the main one, on all ranks."""
    global _main
    _main = gathered(candidate).index(True)


def gathered(value: T) -> list[T]:
    """Returns the values that the ranks called this with, in order of rank; tensors in them must be on the CPU."""
    if world_size() == 1:
        return [value]
    values: list[Any] = [None] * world_size()
    dist.all_gather_object(values, value)
    return values


def from_main(work: Callable[[], T]) -> T:
    """Returns on every rank what `work` returns on the main one, which alone does it while the others wait.

    Raises:
        FashionDGMError: on every rank, if `work` raises it.
    """
    if world_size() == 1:
        return work()
    outcome: list[Any] = [None, None]
    if is_main():
        try:
            outcome[0] = work()
        except FashionDGMError as error:
            outcome[1] = error
    dist.broadcast_object_list(outcome, src=_main)
    if outcome[1] is not None:
        raise outcome[1]
    return outcome[0]


def average(tensor: Tensor) -> Tensor:
    """Returns the mean over the ranks of a tensor, of one shape on all of them."""
    if world_size() == 1:
        return tensor
    total = tensor.clone()
    dist.all_reduce(total)
    return total / world_size()


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replaces each gradient by its mean over the ranks, as if one batch had held the images of all."""
    if world_size() == 1:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    means = average(torch.cat([gradient.flatten() for gradient in gradients]))
    parts = means.split([gradient.numel() for gradient in gradients])
    torch._foreach_copy_(gradients, [part.view(g.shape) for part, g in zip(parts, gradients, strict=True)])


def broadcast_parameters(networks: Iterable[nn.Module]) -> None:
    """Gives every rank the main one's weights: one seed may draw others on another kind of processor."""
    if world_size() > 1:
        for network in networks:
            for parameter in network.parameters():
                dist.broadcast(parameter.data, src=_main)
