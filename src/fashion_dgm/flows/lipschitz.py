"""Linear layers and an activation whose Lipschitz constants are bounded."""

# Derived in docs/theory/log-det-estimation.md.

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fashion_dgm.errors import FashionDGMError

__all__ = [
    "LipSwish",
    "LipschitzConv2d",
    "LipschitzLayer",
    "LipschitzLinear",
    "measured_norm",
    "update_norms",
]


class LipschitzLayer(nn.Module, ABC):
    """A linear layer that divides its weight by whatever its spectral norm exceeds `coefficient` by.

    The norm is that of the layer as it is applied (of a convolution with its padding, at its size of image, not of its
    kernel as a matrix). It is estimated from below as `|A v|` by power iteration, whose unit vectors `v` and `A v` are
    buffers. `update` goes on with the iteration; nothing else changes them, so evaluation leaves no trace, and a state
    that is loaded goes on bit for bit. Between updates `u^T A v` is differentiated with the vectors held fixed: where
    they are the singular ones, this is the gradient of the norm.

    Miyato et al., 2018, "Spectral normalization for generative adversarial networks"; for convolutions as they are
    applied, Gouk et al., 2018, "Regularisation of neural networks by enforcing Lipschitz continuity".

    Arguments:
        weight: of the right shape, as torch initialises it.
        bias: one number a channel.
        in_shape: of one input on which the norm is taken.
        out_shape: of its output.
        coefficient: largest norm, in `(0, 1)` for a contraction.

    Raises:
        FashionDGMError: if the coefficient is not positive.
    """

    # Unit vectors that have come to rest to 1e-3 give the norm to about the square of that.
    tolerance = 1e-3
    max_iterations = 200

    def __init__(
        self, weight: Tensor, bias: Tensor, in_shape: tuple[int, ...], out_shape: tuple[int, ...], coefficient: float
    ) -> None:
        super().__init__()
        if not coefficient > 0:
            raise FashionDGMError(f"the coefficient of a Lipschitz layer must be above 0, not {coefficient}")
        self.coefficient = coefficient
        self.weight = nn.Parameter(weight.detach().clone())
        self.bias = nn.Parameter(bias.detach().clone())
        self.register_buffer("right", _unit(torch.randn(1, *in_shape)))
        self.register_buffer("left", torch.zeros(1, *out_shape))
        # Not part of the state, and from a generator of its own: the same in every layer of this shape.
        restart = torch.randn(1, *in_shape, generator=torch.Generator().manual_seed(0))
        self.register_buffer("restart", _unit(restart), persistent=False)
        self.update(self.tolerance, self.max_iterations)

    def forward(self, x: Tensor) -> Tensor:
        """Applies the bounded layer."""
        return self.apply_linear(x, self.bounded_weight(), self.bias)

    def bounded_weight(self) -> Tensor:
        """Returns the weight, scaled so that its norm is at most `coefficient`."""
        return self.weight / (self.norm() / self.coefficient).clamp_min(1)

    def norm(self) -> Tensor:
        """Returns the norm of the weight before it is bounded, `u^T A v`: a scalar that can be differentiated."""
        image = self.apply_linear(self.get_buffer("right"), self.weight)
        return (self.get_buffer("left") * image).sum()

    @torch.no_grad()
    def update(self, tolerance: float = tolerance, max_iterations: int = max_iterations) -> None:
        """Goes on with the power iteration.

        Arguments:
            tolerance: stops when an iteration moves `v`, of length 1, by no more than this. 0 never stops early, and so
                never waits for the device.
            max_iterations: at least 1.
        """
        right, left = self.get_buffer("right"), self.get_buffer("left")
        for _ in range(max_iterations):
            image = _unit(self.apply_linear(right, self.weight))
            new = _unit(self.apply_adjoint(image, self.weight))
            # A vector that the weight takes to zero (any, where the weight is zero) would stay zero whatever comes later.
            new = torch.where(new.norm() > 0, new, self.get_buffer("restart"))
            moved = (new - right).norm()
            right.copy_(new)
            if tolerance > 0 and moved <= tolerance:
                break
        left.copy_(_unit(self.apply_linear(right, self.weight)))

    @abstractmethod
    def apply_linear(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Applies the layer with `weight`."""

    @abstractmethod
    def apply_adjoint(self, y: Tensor, weight: Tensor) -> Tensor:
        """Applies the adjoint (the transpose) of the layer with `weight` and no bias."""


class LipschitzConv2d(LipschitzLayer):
    """A convolution that keeps height and width, by zero padding.

    Arguments:
        in_channels: of the images.
        out_channels: of what is returned.
        kernel_size: odd.
        size: height and width. A 1x1 convolution is the same matrix at every pixel, so its norm is taken on one.
        coefficient: largest spectral norm.

    Raises:
        FashionDGMError: if the kernel size is even.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, size: tuple[int, int], coefficient: float = 0.98
    ) -> None:
        if kernel_size % 2 == 0:
            raise FashionDGMError(f"a convolution that keeps the size needs an odd kernel, not {kernel_size}")
        start = nn.Conv2d(in_channels, out_channels, kernel_size)
        assert start.bias is not None
        place = (1, 1) if kernel_size == 1 else size
        super().__init__(start.weight, start.bias, (in_channels, *place), (out_channels, *place), coefficient)

    def apply_linear(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Takes `(N, in_channels, H, W)` to `(N, out_channels, H, W)`."""
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)

    def apply_adjoint(self, y: Tensor, weight: Tensor) -> Tensor:
        """Takes `(N, out_channels, H, W)` to `(N, in_channels, H, W)`."""
        return F.conv_transpose2d(y, weight, padding=weight.shape[-1] // 2)

    def extra_repr(self) -> str:
        """Shows channels, kernel and coefficient."""
        out_channels, in_channels, kernel_size, _ = self.weight.shape
        return f"{in_channels}, {out_channels}, kernel_size={kernel_size}, coefficient={self.coefficient}"


class LipschitzLinear(LipschitzLayer):
    """A matrix.

    Arguments:
        in_features: of the vectors.
        out_features: of what is returned.
        coefficient: largest spectral norm.
    """

    def __init__(self, in_features: int, out_features: int, coefficient: float = 0.98) -> None:
        start = nn.Linear(in_features, out_features)
        super().__init__(start.weight, start.bias, (in_features,), (out_features,), coefficient)

    def apply_linear(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Takes `(N, in_features)` to `(N, out_features)`."""
        return F.linear(x, weight, bias)

    def apply_adjoint(self, y: Tensor, weight: Tensor) -> Tensor:
        """Takes `(N, out_features)` to `(N, in_features)`."""
        return F.linear(y, weight.T)

    def extra_repr(self) -> str:
        """Shows features and coefficient."""
        out_features, in_features = self.weight.shape
        return f"{in_features}, {out_features}, coefficient={self.coefficient}"


class LipSwish(nn.Module):
    """`x sigmoid(b x) / 1.1` with a learned `b > 0`: smooth, and of Lipschitz constant at most 1.

    The slope of `x sigmoid(x)` is at most 1.0998, whatever `b`. Unlike that of a ReLU, whose second derivative is zero,
    it also changes smoothly, which the gradient of a log-determinant needs.

    Chen et al., 2019, section 3.3.
    """

    def __init__(self) -> None:
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor) -> Tensor:
        """Takes any shape to the same."""
        beta = F.softplus(self.beta)
        # The same, by the fused kernel.
        return F.silu(beta * x) * (1 / (1.1 * beta))


def update_norms(
    network: nn.Module,
    tolerance: float = LipschitzLayer.tolerance,
    max_iterations: int = LipschitzLayer.max_iterations,
) -> None:
    """Calls `update` of every Lipschitz layer in `network`; to be done whenever weights have changed."""
    for layer in network.modules():
        if isinstance(layer, LipschitzLayer):
            layer.update(tolerance, max_iterations)


@torch.no_grad()
def measured_norm(layer: LipschitzLayer, seed: int = 0, max_iterations: int = 2000) -> float:
    """Returns the spectral norm of the layer as it is applied, its bound included, by a power iteration of its own.

    It starts from a random vector, so that it can find what the layer's own vectors have missed, and changes nothing.
    """
    weight = layer.bounded_weight()
    right = layer.get_buffer("right")
    start = torch.randn(right.shape, generator=torch.Generator().manual_seed(seed), dtype=right.dtype)
    vector, norm = _unit(start.to(right.device)), 0.0
    for _ in range(max_iterations):
        image = layer.apply_linear(vector, weight)
        before, norm = norm, float(image.norm())
        if norm - before <= 1e-7 * norm:
            break
        vector = _unit(layer.apply_adjoint(image, weight))
    return norm


def _unit(x: Tensor) -> Tensor:
    return x / x.norm().clamp_min(torch.finfo(x.dtype).tiny)
