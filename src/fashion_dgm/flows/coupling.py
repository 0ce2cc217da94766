"""Coupling layers, affine and by mixtures of logistics, and the network inside them."""

# Derived in docs/theory/change-of-variables.md.

import math
from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.bijection import Bijection
from fashion_dgm.flows.partition import Partition

__all__ = ["AffineCoupling", "Coupling", "LogisticMixture", "MixtureCoupling", "ResidualConditioner"]


# Between two narrow components the CDF is flat, and what lies there could not be distinguished again: float32 would lose it.
SMALLEST_SLOPE = 0.05
LOOK_EVERY = 4


class ResidualConditioner(nn.Module):
    """A residual convolutional network that returns zero until it is trained, so that a new coupling is the identity.

    Pre-activation blocks as in He et al., 2016, "Identity mappings in deep residual networks", figure 4e. The zero
    output layer is Glow's (Kingma and Dhariwal, 2018, section 3.3).

    Arguments:
        in_channels: channels of the half that is read.
        hidden_channels: channels of every layer between.
        out_channels: channels returned: the parameters of the map of the other half.
        residual_blocks: blocks of two 3x3 convolutions, 0 or more.
        size: height and width of the half. If given, a bias for each place is learned: a convolution alone does not know
            where it is, and what a pixel may be depends on where it lies.
    """

    # No BatchNorm, unlike Dinh et al.: its statistics tie the images of a batch together, while log p(x) must be a
    # function of one image, the same in training and evaluation. ActNorm before each coupling keeps the input in scale.

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        residual_blocks: int,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.out_channels = out_channels
        self.position = None if size is None else nn.Parameter(torch.zeros(hidden_channels, *size))
        self.input = _convolution(in_channels, hidden_channels)
        self.blocks = nn.ModuleList(_ResidualBlock(hidden_channels) for _ in range(residual_blocks))
        self.output = _convolution(hidden_channels, out_channels)
        for parameter in self.output.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """Takes `(N, in_channels, H, W)` to `(N, out_channels, H, W)`."""
        hidden = self.input(x)
        if self.position is not None:
            hidden = hidden + self.position
        for block in self.blocks:
            hidden = block(hidden)
        return self.output(F.relu(hidden))


class _ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels)
        self.second = _convolution(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.relu(self.first(F.relu(x))))


def _convolution(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1)


class Coupling(Bijection):
    """Keeps the half `a` of the image and maps the other value by value, with parameters that a network computes from `a`.

    The Jacobian is triangular, so `log |det|` is the sum of the log-slopes, whatever the network. As in Dinh et al., 2017,
    sections 3.2 and 4.1, the map ends in `exp(s(a))` and a shift, where `s` is a learned scale per channel times a tanh: it
    is bounded, so that no pixel can blow up the inverse.

    Under bfloat16 autocast only the network is computed in bfloat16. The map of `b` and its log-determinant stay in
    float32 and use the same `s`, so the likelihood is exact: that of a flow whose network rounds.

    Arguments:
        partition: which half is read and which is changed.
        conditioner: network from `a` to shift, raw log-scale and what else the map needs, in this order along the channels.
        parts: how many channels the conditioner returns for each one that is changed.

    Raises:
        FashionDGMError: if the conditioner's channels don't divide so.
    """

    def __init__(self, partition: Partition, conditioner: ResidualConditioner, parts: int) -> None:
        super().__init__()
        if conditioner.out_channels % parts:
            raise FashionDGMError(
                f"a {type(self).__name__} needs {parts} channels from its conditioner for each one that it changes, so a "
                f"multiple of {parts}, not {conditioner.out_channels}"
            )
        self.partition, self.conditioner, self._parts = partition, conditioner, parts
        self.scale = nn.Parameter(torch.ones(conditioner.out_channels // parts, 1, 1))

    def forward(self, x: Tensor, probes: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Takes `(N, C, H, W)` to the same shape; the log-determinant is the sum of the log-slopes."""
        a, b = self.partition.split(x)
        value, log_slope = self.transform(b, *self._conditioned(a))
        return self.partition.merge(a, value), log_slope.flatten(1).sum(1)

    def inverse(self, y: Tensor) -> Tensor:
        """Takes `(N, C, H, W)` to the same shape."""
        a, b = self.partition.split(y)
        return self.partition.merge(a, self.inverse_transform(b, *self._conditioned(a)))

    @abstractmethod
    def transform(self, b: Tensor, shift: Tensor, log_scale: Tensor, further: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the values that `b` is mapped to and the log-slopes there.

        Arguments:
            b: the half to change, `(N, C, H, W)`; `shift` and `log_scale` have its shape.
            further: all other parameters of the map, `(N, parts - 2, C, H, W)`.
        """

    @abstractmethod
    def inverse_transform(self, b: Tensor, shift: Tensor, log_scale: Tensor, further: Tensor) -> Tensor:
        """Returns the values that `transform` maps to `b`."""

    def extra_repr(self) -> str:
        """Shows the partition, which is no module."""
        return f"partition={self.partition}"

    def _conditioned(self, a: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        output = self.conditioner(a).to(torch.promote_types(a.dtype, torch.float32))
        shift, raw, further = output.unflatten(1, (self._parts, -1)).split((1, 1, self._parts - 2), dim=1)
        return shift.squeeze(1), self.scale * torch.tanh(raw.squeeze(1)), further


class AffineCoupling(Coupling):
    """The coupling `b -> b * exp(s(a)) + t(a)`; the conditioner returns `t` and raw `s`.

    Dinh et al., 2017, sections 3.2 and 4.1.
    """

    def __init__(self, partition: Partition, conditioner: ResidualConditioner) -> None:
        super().__init__(partition, conditioner, parts=2)

    def transform(self, b: Tensor, shift: Tensor, log_scale: Tensor, further: Tensor) -> tuple[Tensor, Tensor]:
        return b * log_scale.exp() + shift, log_scale

    def inverse_transform(self, b: Tensor, shift: Tensor, log_scale: Tensor, further: Tensor) -> Tensor:
        return (b - shift) * (-log_scale).exp()


@dataclass(frozen=True)
class LogisticMixture:
    """A mixture for each value of an image, and the map `x -> logit(CDF(x)) + 0.05 x` that it defines.

    A single component makes the map affine. Several let it be steep in some places and flat in others, so that it can
    take apart what has several modes.

    Ho et al., 2019, "Flow++", section 3.2, but for the linear term, which keeps the slope above 0.05.

    Arguments:
        log_weights: logarithms of the weights, which add up to 1 over the components, `(N, K, ...)`.
        means: `(N, K, ...)`.
        log_scales: `(N, K, ...)`.
    """

    log_weights: Tensor
    means: Tensor
    log_scales: Tensor

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the value and the logarithm of the slope at x, both of its shape, `(N, ...)`.

        Both tails are summed by their logarithms, so that nothing is rounded to 0 or 1 far from the means.
        """
        z = (x.unsqueeze(1) - self.means) * (-self.log_scales).exp()
        log_lower, log_upper = F.logsigmoid(z), F.logsigmoid(-z)
        log_cdf = torch.logsumexp(self.log_weights + log_lower, dim=1)
        log_survival = torch.logsumexp(self.log_weights + log_upper, dim=1)
        log_density = torch.logsumexp(self.log_weights - self.log_scales + log_lower + log_upper, dim=1)
        log_slope = log_density - log_cdf - log_survival
        floor = torch.full_like(log_slope, math.log(SMALLEST_SLOPE))
        return log_cdf - log_survival + SMALLEST_SLOPE * x, torch.logaddexp(log_slope, floor)

    @torch.no_grad()
    def inverse(self, y: Tensor, iterations: int = 60) -> Tensor:
        """Returns the x that `forward` takes to y, by Newton's method kept within a bracket, `(N, ...)`.

        At every x, the value lies between those of the components on their own; so the root lies between theirs. Where a
        Newton step leaves the bracket or is more than half of the step before it, the bracket's middle is taken.

        Press et al., 2007, "Numerical recipes", section 9.4 (`rtsafe`).
        """
        steepness = (-self.log_scales).exp()
        alone = (y.unsqueeze(1) + self.means * steepness) / (steepness + SMALLEST_SLOPE)
        low, high = alone.amin(dim=1), alone.amax(dim=1)
        x, last = (low + high) / 2, high - low
        eps = 4 * torch.finfo(y.dtype).eps
        for iteration in range(iterations):
            value, log_slope = self.forward(x)
            low, high = torch.where(value < y, x, low), torch.where(value < y, high, x)
            step = (value - y) * (-log_slope).exp()
            done = step.abs() <= eps * (1 + x.abs())
            newton = x - step
            fast = (newton >= low) & (newton <= high) & (2 * step.abs() <= last)
            following = torch.where(done, x, torch.where(fast, newton, (low + high) / 2))
            x, last = following, (following - x).abs()
            # A dozen iterations mostly do. To look makes the host wait for the device.
            if iteration % LOOK_EVERY == LOOK_EVERY - 1 and bool((done | (high - low <= eps * (1 + x.abs()))).all()):
                break
        return x


class MixtureCoupling(Coupling):
    """The coupling `b -> m(b) * exp(s(a)) + t(a)`.

    `m` is the map of a `LogisticMixture` whose weights, means and scales are functions of `a`, too: the conditioner returns
    them after `t` and `s`. What is gained over affine coupling is a map with bends, for a pixel that may be black or bright.

    Ho et al., 2019, "Flow++", section 3.2.

    Arguments:
        partition: which half is read and which is changed.
        conditioner: network from `a` to the parameters.
        components: components of each mixture, at least 1.

    Raises:
        FashionDGMError: if there is no component, or the conditioner's channels don't divide so.
    """

    # No component gets steeper than float32 can invert.
    LARGEST_LOG_SCALE = 5.0

    def __init__(self, partition: Partition, conditioner: ResidualConditioner, components: int) -> None:
        if components < 1:
            raise FashionDGMError(f"a mixture of logistics has at least 1 component, not {components}")
        super().__init__(partition, conditioner, self.parts(components))
        self.components = components
        # The conditioner returns zeros at first: were all components alike, they would get the same gradient for ever.
        spread = torch.linspace(-1, 1, components) if components > 1 else torch.zeros(1)
        self.mean = nn.Parameter(spread[:, None, None, None].repeat(1, len(self.scale), 1, 1))

    @staticmethod
    def parts(components: int) -> int:
        """Returns how many channels the conditioner gives for each one that is changed."""
        return 2 + 3 * components

    def transform(self, b: Tensor, shift: Tensor, log_scale: Tensor, further: Tensor) -> tuple[Tensor, Tensor]:
        value, log_slope = self._mixture(further).forward(b)
        return value * log_scale.exp() + shift, log_slope + log_scale

    def inverse_transform(self, b: Tensor, shift: Tensor, log_scale: Tensor, further: Tensor) -> Tensor:
        return self._mixture(further).inverse((b - shift) * (-log_scale).exp())

    def extra_repr(self) -> str:
        """Shows the partition and the number of components."""
        return f"{super().extra_repr()}, components={self.components}"

    def _mixture(self, further: Tensor) -> LogisticMixture:
        weights, means, scales = further.chunk(3, dim=1)
        bound = self.LARGEST_LOG_SCALE
        return LogisticMixture(weights.log_softmax(1), self.mean + means, bound * torch.tanh(scales / bound))
