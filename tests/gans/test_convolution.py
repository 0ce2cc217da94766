"""Matrix products in place of convolutions: the same function, the same derivatives, fewer multiplications."""

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from fashion_dgm.gans.convolution import Conv2d, ConvTranspose2d, multiply_matrices
from fashion_dgm.gans.networks import Discriminator, Generator
from fashion_dgm.gans.objectives import gradient_norms

# All layers of the assignment's networks, those that stay as they are included.
LAYERS = {
    "1x1 to 4x4": (ConvTranspose2d(6, 3, 4), (1, 1)),
    "4x4 to 7x7": (ConvTranspose2d(3, 5, 4, bias=False), (4, 4)),
    "7x7 to 14x14": (ConvTranspose2d(3, 2, 4, stride=2, padding=1), (7, 7)),
    "14x14 to 28x28": (ConvTranspose2d(3, 1, 4, stride=2, padding=1), (14, 14)),
    "28x28 to 14x14": (Conv2d(1, 3, 4, stride=2, padding=1), (28, 28)),
    "14x14 to 7x7": (Conv2d(2, 3, 4, stride=2, padding=1), (14, 14)),
    "7x7 to 4x4": (Conv2d(3, 5, 4, bias=False), (7, 7)),
    "4x4 to 1x1": (Conv2d(3, 1, 4), (4, 4)),
}


@pytest.fixture(params=LAYERS)
def pair(request: pytest.FixtureRequest) -> tuple[nn.Module, nn.Module, Tensor]:
    """A layer as torch computes it, the same by matrix products, and an input."""
    layer, size = LAYERS[request.param]
    arguments = layer.in_channels, layer.out_channels, 4, layer.stride, layer.padding
    copies = [type(layer)(*arguments, bias=layer.bias is not None).double() for _ in range(2)]
    copies[1].load_state_dict(copies[0].state_dict())
    multiply_matrices(copies[1])
    return *copies, torch.randn(2, layer.in_channels, *size, dtype=torch.float64, requires_grad=True)


def test_layer_and_its_gradients_are_those_of_torch(pair: tuple[nn.Module, nn.Module, Tensor]) -> None:
    library, products, x = pair
    expected = library(x)
    torch.testing.assert_close(products(x), expected, rtol=0, atol=1e-13)
    direction = torch.randn_like(expected)
    torch.testing.assert_close(
        torch.autograd.grad(products(x), (x, *products.parameters()), direction),
        torch.autograd.grad(expected, (x, *library.parameters()), direction),
        rtol=0,
        atol=1e-12,
    )


def test_second_derivatives_are_those_of_finite_differences(pair: tuple[nn.Module, nn.Module, Tensor]) -> None:
    _, products, x = pair
    weights = [weight.detach().clone().requires_grad_() for weight in products.parameters()]
    names = [name for name, _ in products.named_parameters()]

    def layer(x: Tensor, *weights: Tensor) -> Tensor:
        return torch.func.functional_call(products, dict(zip(names, weights, strict=True)), x)

    assert torch.autograd.gradcheck(layer, (x, *weights), fast_mode=True)
    assert torch.autograd.gradgradcheck(layer, (x, *weights), fast_mode=True)


def test_73_products_instead_of_256_between_7x7_and_4x4() -> None:
    # With many channels and images, the transforms no longer count.
    counts = []
    for products in (False, True):
        layer = Conv2d(512, 512, 4, bias=False)
        layer.by_products = products
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            layer(torch.zeros(512, 512, 7, 7))
        counts.append(counter.get_total_flops())
    assert 73 / 256 < counts[1] / counts[0] < 1.5 * 73 / 256


@pytest.mark.parametrize(
    ("normalisation", "power_iterations"), [("batch", None), ("layer", None), ("none", None), ("none", 1)]
)
def test_networks_keep_their_function_weights_and_penalty(normalisation: str, power_iterations: int | None) -> None:
    latents = torch.randn(4, 5, dtype=torch.float64)
    generator = Generator(5, 4, "batch").double()
    # In training, spectral normalisation changes its estimate at each use.
    critic = Discriminator(4, normalisation, power_iterations).double().train(power_iterations is None)
    images = torch.rand(4, 1, 28, 28, dtype=torch.float64)

    def values() -> list[Tensor]:
        norms = gradient_norms(critic, images)
        penalty = torch.autograd.grad(norms.sum(), critic.parameters(), materialize_grads=True)
        return [generator(latents), critic.layers(images), norms, *penalty]

    before, state = values(), {**generator.state_dict(), **critic.state_dict()}
    multiply_matrices(generator)
    multiply_matrices(critic)
    after = {**generator.state_dict(), **critic.state_dict()}
    assert state.keys() == after.keys()
    assert all(torch.equal(state[name], after[name]) for name in state if "weight" in name)
    torch.testing.assert_close(values(), before, rtol=1e-9, atol=1e-10)
