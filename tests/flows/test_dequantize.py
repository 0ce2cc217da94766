from __future__ import annotations

import pytest
import torch

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import dequantize, to_bits_per_dim


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_pixels_come_back_and_nothing_reaches_one(dtype):
    torch.manual_seed(0)
    images = torch.arange(256, dtype=torch.uint8).repeat(2000)
    images = torch.cat((images, torch.full((1_000_000,), 255, dtype=torch.uint8)))
    x = dequantize(images, dtype=dtype)
    assert x.dtype == dtype
    assert x.shape == images.shape
    assert x.min() >= 0
    assert x.max() < 1
    assert torch.equal((256 * x).floor(), images.to(dtype))


def test_noise_is_uniform_over_the_interval_of_a_pixel():
    images = torch.full((200_000,), 3, dtype=torch.uint8)
    noise = 256 * dequantize(images, torch.Generator().manual_seed(0)) - 3
    assert noise.mean().item() == pytest.approx(1 / 2, abs=3e-3)
    assert noise.var().item() == pytest.approx(1 / 12, abs=1e-3)
    assert noise.histc(10, 0, 1).min() > 19_000


def test_noise_follows_the_generator():
    images = torch.zeros(4, 1, 3, 3, dtype=torch.uint8)

    def draw(seed: int) -> torch.Tensor:
        return dequantize(images, torch.Generator().manual_seed(seed))

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))
    torch.manual_seed(1)
    first = dequantize(images)
    assert not torch.equal(first, dequantize(images))
    torch.manual_seed(1)
    assert torch.equal(first, dequantize(images))


def test_only_uint8_is_taken():
    with pytest.raises(FashionDGMError, match=r"float32"):
        dequantize(torch.zeros(2))


def test_a_uniform_density_costs_eight_bits():
    assert to_bits_per_dim(torch.zeros(5), 784).tolist() == [8.0] * 5


def test_a_density_of_two_to_the_d_costs_seven_bits():
    log_prob = 784 * torch.tensor([2.0], dtype=torch.float64).log()
    assert to_bits_per_dim(log_prob, 784).item() == pytest.approx(7, abs=1e-12)
