from __future__ import annotations

import math

import pytest
import torch

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import Logit


def test_ends_are_finite_and_come_back():
    logit = Logit(1e-6)
    x = torch.tensor([[0.0, 0.25, 0.5, 0.75, 1.0]])
    y, log_det = logit(x)
    assert y.isfinite().all()
    assert log_det.isfinite().all()
    torch.testing.assert_close(logit.inverse(y), x, rtol=0, atol=1e-6)


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
