"""Images on their way through the layers of a flow."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from fashion_dgm.flows.bijection import Bijection, Chain, MultiScale
from fashion_dgm.flows.flow import Flow, StandardNormal
from fashion_dgm.flows.partition import Squeeze

__all__ = ["Layer", "Trace", "log_normal", "trace"]

Place = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer, and a batch of images after it.

    Arguments:
        kind: `logit`, `actnorm`, `squeeze`, `coupling`, or the name of another class in lower case.
        scale: the scale it belongs to, from 1; 0 before the scales.
        log_det: what it adds to the log-likelihood, nats, `(N,)`.
        picture: all `D` values after it, `(N, C, H, W)`, each at the pixel it started from; what has left for the latents
            is in its place, so that squeezes and factoring out change nothing here.
    """

    kind: str
    scale: int
    log_det: Tensor
    picture: Tensor


@dataclass(frozen=True, eq=False)
class Trace:
    """All layers a batch has passed, and the latents it became.

    Arguments:
        layers: in the order of the likelihood, from the image to the latents.
        latents: those of each scale, `(N, D_s)`, in the order in which they left.
    """

    layers: tuple[Layer, ...]
    latents: tuple[Tensor, ...]

    @property
    def log_det(self) -> Tensor:
        """The log-determinant of the whole flow, `(N,)`."""
        return torch.stack([layer.log_det for layer in self.layers]).sum(0)

    @property
    def log_prob(self) -> Tensor:
        """The log-density of the images in nats, `(N,)`."""
        return self.log_det + torch.stack([log_normal(z) for z in self.latents]).sum(0)


def trace(flow: Bijection, x: Tensor, probes: torch.Generator | None = None) -> Trace:
    """Runs images through a flow and keeps what every layer did.

    Layers are found through `Chain` and `MultiScale`; whatever else is a `Bijection` counts as one layer, so couplings and
    residual blocks of any kind will do. The prior is the standard normal.

    Arguments:
        flow: a `Flow`, or a bijection itself.
        x: floats in `[0, 1]`, `(N, C, H, W)`.
        probes: as for the flow's `forward`; without them a flow in evaluation mode gives the same trace at every call.
    """
    body = flow
    if isinstance(flow, Flow):
        body, probes = flow.bijection, flow.probes_or_default(probes)
    reference = next(flow.parameters(), x)
    tracer = _Tracer(probes)
    last, _ = tracer.run(body, x.to(reference.dtype), lambda values: values, 0)
    return Trace(tuple(tracer.layers), (*tracer.latents, last.flatten(1)))


def log_normal(z: Tensor) -> Tensor:
    """Returns the standard normal log-density of values `(N, ...)`, nats, `(N,)`."""
    return StandardNormal().log_prob(z.flatten(1))


class _Tracer:
    """Goes down the structure of a flow; `place` puts the values of the moment back to their pixels."""

    def __init__(self, probes: torch.Generator | None) -> None:
        self.probes = probes
        self.layers: list[Layer] = []
        self.latents: list[Tensor] = []

    def run(self, bijection: Bijection, x: Tensor, place: Place, scale: int) -> tuple[Tensor, Place]:
        if isinstance(bijection, Chain):
            for part in bijection.bijections:
                x, place = self.run(cast("Bijection", part), x, place, scale)
            return x, place
        if isinstance(bijection, MultiScale):
            return self._run_scales(bijection, x, place)
        x, log_det = bijection(x, self.probes)
        if isinstance(bijection, Squeeze):
            place = _after(bijection.inverse, place)
        self.layers.append(Layer(_kind(bijection), scale, log_det, place(x)))
        return x, place

    def _run_scales(self, bijection: MultiScale, x: Tensor, place: Place) -> tuple[Tensor, Place]:
        for index, part in enumerate(bijection.scales):
            x, place = self.run(cast("Bijection", part), x, place, index + 1)
            if index < len(bijection.scales) - 1:
                x, factored = x.chunk(2, dim=1)
                self.latents.append(factored.flatten(1))
                place = _alongside(factored, place)
        return x, place


def _after(inverse: Place, place: Place) -> Place:
    return lambda values: place(inverse(values))


def _alongside(factored: Tensor, place: Place) -> Place:
    return lambda values: place(torch.cat((values, factored), dim=1))


def _kind(bijection: Bijection) -> str:
    name = type(bijection).__name__
    return "coupling" if name.endswith("Coupling") else name.lower()
