import math

import pytest
import torch

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import Logit, dequantize, quantize


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_pixels_come_back_and_nothing_reaches_one(dtype):
    images = torch.arange(256, dtype=torch.uint8).repeat(2000)
    images = torch.cat((images, torch.full((1_000_000,), 255, dtype=torch.uint8)))
    x = dequantize(images, dtype=dtype)
    assert x.dtype == dtype
    assert x.shape == images.shape
    assert x.min() >= 0
    assert x.max() < 1
    assert torch.equal(quantize(x), images)
    assert quantize(torch.ones(1)).item() == 255


def test_noise_is_uniform_over_the_interval_of_a_pixel():
    images = torch.full((200_000,), 3, dtype=torch.uint8)
    noise = 256 * dequantize(images, torch.Generator().manual_seed(0)) - 3
    assert noise.mean().item() == pytest.approx(1 / 2, abs=3e-3)
    assert noise.var().item() == pytest.approx(1 / 12, abs=1e-3)
    assert noise.histc(10, 0, 1).min() > 19_000


def test_noise_follows_the_generator_or_the_default_one_and_only_uint8_is_taken():
    images = torch.zeros(4, 1, 3, 3, dtype=torch.uint8)
    first, again, other = (dequantize(images, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    torch.manual_seed(1)
    assert torch.equal(dequantize(images), first) and not torch.equal(dequantize(images), first)
    with pytest.raises(FashionDGMError, match=r"float32"):
        dequantize(torch.zeros(2))


def test_values_are_those_of_the_formula():
    alpha, x = 0.05, 0.3
    p = alpha + (1 - 2 * alpha) * x
    y, log_det = Logit(alpha)(torch.tensor([[x]], dtype=torch.float64))
    assert y.item() == pytest.approx(math.log(p / (1 - p)))
    assert log_det.item() == pytest.approx(math.log((1 - 2 * alpha) / (p * (1 - p))))


def test_black_and_white_are_mirror_images():
    x = torch.arange(257.0)[:, None] / 256
    y, log_det = Logit(1e-6)(x)
    torch.testing.assert_close(y, -y.flip(0), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(log_det, log_det.flip(0), rtol=1e-6, atol=1e-6)


def test_float32_is_exact_next_to_white():
    x = 1 - torch.arange(1, 50, dtype=torch.float64)[:, None] / 2**24
    y, log_det = Logit(1e-6)(x.float())
    exact_y, exact_log_det = Logit(1e-6)(x)
    torch.testing.assert_close(y.double(), exact_y, rtol=1e-6, atol=0)
    torch.testing.assert_close(log_det.double(), exact_log_det, rtol=1e-6, atol=0)


def test_latents_beyond_the_range_are_clamped():
    assert Logit(0.01).inverse(torch.tensor([[-50.0, 50.0]])).tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("alpha", [0, 0.5, -1, math.nan])
def test_alpha_lies_between_zero_and_a_half(alpha):
    with pytest.raises(FashionDGMError, match="alpha"):
        Logit(alpha)
