"""What all flows over images have in common, whatever their layers."""

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from fashion_dgm.config import Config
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.bijection import Bijection
from fashion_dgm.flows.preprocessing import dequantize, to_bits_per_dim

__all__ = ["BaseDistribution", "Flow", "Shape", "StandardNormal"]

Shape = tuple[int, int, int]


class BaseDistribution(nn.Module, ABC):
    """A distribution of latents `(N, D)`."""

    @abstractmethod
    def log_prob(self, z: Tensor) -> Tensor:
        """Returns the log-density of latents `(N, D)` in nats, `(N,)`."""

    @abstractmethod
    def sample(
        self, n: int, dimensions: int, generator: torch.Generator | None, device: torch.device, dtype: torch.dtype
    ) -> Tensor:
        """Draws latents `(n, dimensions)`."""


class StandardNormal(BaseDistribution):
    """The distribution `N(0, I)`."""

    def log_prob(self, z: Tensor) -> Tensor:
        return -0.5 * (z.square().sum(1) + z.shape[1] * math.log(2 * math.pi))

    def sample(
        self, n: int, dimensions: int, generator: torch.Generator | None, device: torch.device, dtype: torch.dtype
    ) -> Tensor:
        return torch.randn(n, dimensions, generator=generator, device=device, dtype=dtype)


class Flow(Bijection):
    """A bijection from images in the unit interval to flat latents, and a base distribution of the latents.

    Arguments:
        config: what the flow was made with.
        shape: `(C, H, W)` of an image.
        bijection: takes `(N, C, H, W)` in `[0, 1]` to `(N, C H W)`.
        base: distribution of the latents; the standard normal if None.

    Attributes:
        config_type: the class of `config`, of flows that parameters and checkpoints name; they are made from it alone.
        estimated: whether the log-determinant is an estimate.
    """

    config_type: ClassVar[type[Config]]
    estimated = False

    def __init__(
        self, config: Config, shape: Shape, bijection: Bijection, base: BaseDistribution | None = None
    ) -> None:
        super().__init__()
        self.config = config
        self.shape = shape
        self.dimensions = math.prod(shape)
        self.bijection = bijection
        self.base = base or StandardNormal()

    def forward(self, x: Tensor, probes: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Maps images to latents.

        Arguments:
            x: floats in `[0, 1]`, `(N, C, H, W)`.
            probes: source of randomness where the log-determinant is estimated; a flow that computes it exactly draws
                nothing.

        Returns:
            Latents `(N, C H W)`, and the log-determinant `(N,)` in nats, both in the dtype of the parameters.

        Raises:
            FashionDGMError: if x holds no floats or has another shape. The range is not checked, as that would wait
                for the device; values outside give NaN.
        """
        if not x.is_floating_point():
            raise FashionDGMError(
                f"the density is one of floats in [0, 1], not of {x.dtype}; for uint8 pixels use bits_per_dim"
            )
        self._check_shape(x)
        return self.bijection(x.to(self._reference.dtype), self.probes_or_default(probes))

    def inverse(self, y: Tensor) -> Tensor:
        """Maps latents `(N, C H W)` to images `(N, C, H, W)` in `[0, 1]`.

        Raises:
            FashionDGMError: if the latents have another shape.
        """
        if y.ndim != 2 or y.shape[1] != self.dimensions:
            raise FashionDGMError(f"latents must have shape (N, {self.dimensions}), not {tuple(y.shape)}")
        return self.bijection.inverse(y.to(self._reference.dtype))

    def log_prob(self, x: Tensor, probes: torch.Generator | None = None) -> Tensor:
        """Returns the log-density of images in nats, `(N,)`, in float32 or, if the flow is, in float64.

        In training mode the first call sets the ActNorm layers from its batch.

        Arguments:
            x: floats in `[0, 1]`, `(N, C, H, W)`.
            probes: as for `forward`.

        Raises:
            FashionDGMError: as `forward`.
        """
        z, log_det = self(x, probes)
        return log_det + self.base.log_prob(z)

    def bits_per_dim(
        self, images: Tensor, generator: torch.Generator | None = None, probes: torch.Generator | None = None
    ) -> Tensor:
        """Returns the bits per dimension of 8-bit images under one draw of uniform dequantisation, `(N,)`.

        Exact for the density of the dequantised image; their mean over the noise is an upper bound for the pixels.

        Arguments:
            images: uint8 in 0..255, `(N, C, H, W)`.
            generator: source of the noise; torch's own of the images' device if None.
            probes: as for `forward`; apart from `generator`, so that all flows see the same noise.

        Raises:
            FashionDGMError: if images are not uint8 or have another shape.
        """
        self._check_shape(images)
        log_prob = self.log_prob(dequantize(images, generator, self._reference.dtype), probes)
        return to_bits_per_dim(log_prob, self.dimensions)

    @torch.no_grad()
    def sample(self, n: int, temperature: float = 1.0, generator: torch.Generator | None = None) -> Tensor:
        """Draws images by taking latents of the base distribution, times `temperature`, through the inverse.

        A temperature below 1 gives more typical, less varied images (Kingma and Dhariwal, 2018); they are no longer
        samples of the density that `log_prob` reports.

        Arguments:
            n: number of images, held in memory at once.
            temperature: factor of the latents, above 0: of a standard normal, its standard deviation.
            generator: source of the latents; torch's own of the flow's device if None. One on the CPU gives the same
                latents whatever device the flow is on.

        Returns:
            Floats in `[0, 1]`, `(n, C, H, W)`.

        Raises:
            FashionDGMError: if n is below 1 or the temperature not above 0.
        """
        if n < 1:
            raise FashionDGMError(f"the number of samples must be at least 1, not {n}")
        if not 0 < temperature < math.inf:
            raise FashionDGMError(f"the temperature must be a number above 0, not {temperature}")
        reference = self._reference
        device = reference.device if generator is None else generator.device
        latents = self.base.sample(n, self.dimensions, generator, device, reference.dtype)
        return self.inverse(temperature * latents.to(reference.device))

    def constrain(self) -> None:
        """Restores what must hold of the weights, after they have changed; most flows take any weights."""

    def probes_or_default(self, probes: torch.Generator | None) -> torch.Generator | None:
        """Returns the source of probes that `forward` hands to its layers where `probes` is given to it."""
        return probes

    @property
    def _reference(self) -> Tensor:
        return next(self.parameters())

    def _check_shape(self, x: Tensor) -> None:
        if tuple(x.shape[1:]) != self.shape:
            channels, height, width = self.shape
            raise FashionDGMError(f"images must have shape (N, {channels}, {height}, {width}), not {tuple(x.shape)}")
