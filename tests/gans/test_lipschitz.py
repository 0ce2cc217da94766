import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fashion_dgm.gans.lipschitz import SpectralNorm, clip_weights, normalise_spectrally
from fashion_dgm.gans.networks import Discriminator


def test_clip_reports_the_fraction_at_the_bound() -> None:
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.5, 0.001]]))
        layer.bias.copy_(torch.tensor([-0.5]))
    assert clip_weights(layer, 0.01).item() == pytest.approx(2 / 3)
    torch.testing.assert_close(layer.weight.detach(), torch.tensor([[0.01, 0.001]]))


def operator_norm(layer: nn.Conv2d, size: int) -> float:
    """The Lipschitz constant of a convolution on images of that size, by power iteration on the map itself."""
    x = torch.randn(1, layer.in_channels, size, size, generator=torch.Generator().manual_seed(0))

    def linear(x: Tensor) -> Tensor:
        return F.conv2d(x, layer.weight, None, layer.stride, layer.padding)

    for _ in range(200):
        x = x / x.norm()
        _, x = torch.autograd.functional.vjp(linear, x, linear(x))
    return x.norm().sqrt().item()


def test_spectral_norm_bounds_every_layer() -> None:
    """The matrix of the kernel has norm 1, and the convolution itself at most k / s, for windows overlap."""
    critic = Discriminator(4, normalisation="none", power_iterations=1)
    with torch.no_grad():
        for _ in range(100):
            critic(torch.rand(2, 1, 28, 28))
    critic.eval()
    layers = [layer for layer in critic.layers if isinstance(layer, nn.Conv2d)]
    for layer, size in zip(layers, (28, 14, 7, 4), strict=True):
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=1e-3)
        norm = operator_norm(layer, size)
        # The last kernel is as large as its input: there is one window, and the bound is the norm itself.
        bound = layer.kernel_size[0] / layer.stride[0] if size > 4 else 1.0
        assert 0.5 < norm <= bound * 1.001


def test_estimate_of_the_singular_value_is_followed_while_weights_move() -> None:
    layer = nn.Linear(20, 30)
    normalise_spectrally(layer, iterations=1)
    original = layer.parametrizations.weight.original
    moves = torch.Generator().manual_seed(0)
    for _ in range(200):
        with torch.no_grad():
            original += 0.002 * torch.randn(original.shape, generator=moves)
        weight = layer.weight
    assert torch.linalg.matrix_norm(weight.detach(), 2).item() == pytest.approx(1, abs=0.02)


def test_gradient_goes_through_the_singular_value() -> None:
    weight = torch.randn(5, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    norm = SpectralNorm(weight, iterations=200).double()

    def divided(w: Tensor) -> Tensor:
        return w / torch.linalg.matrix_norm(w, 2)

    direction = torch.randn(5, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    gradients = []
    for function in (norm, divided):
        w = weight.clone().requires_grad_()
        (gradient,) = torch.autograd.grad((direction * function(w)).sum(), w)
        gradients.append(gradient)
    torch.testing.assert_close(*gradients)


def test_evaluation_does_not_change_the_estimate() -> None:
    critic = Discriminator(4, normalisation="none", power_iterations=1).eval()
    before = {name: tensor.clone() for name, tensor in critic.state_dict().items()}
    x = torch.rand(2, 1, 28, 28)
    assert torch.equal(critic(x), critic(x))
    torch.testing.assert_close(dict(critic.state_dict()), before, rtol=0, atol=0)


def test_singular_value_is_float32_under_autocast() -> None:
    layer = nn.Linear(20, 30)
    normalise_spectrally(layer, iterations=1)
    with torch.autocast("cpu", torch.bfloat16):
        layer(torch.rand(1, 20))
        assert layer.weight.dtype == torch.float32
    norm = layer.parametrizations.weight[0]
    assert norm.u.dtype == norm.v.dtype == torch.float32
