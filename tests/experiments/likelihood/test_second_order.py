import numpy as np
import pytest
import torch
from tests.small import make_flow

from fashion_dgm.experiments.likelihood.second_order import along_the_line, pixel_moments, second_order_gap
from fashion_dgm.flows import dequantize, to_bits_per_dim

LEVELS = (0.0, 0.5, 0.9, 1.0)


def images(seed: int, low: int, high: int, n: int = 40) -> torch.Tensor:
    return torch.randint(low, high, (n, 1, 8, 8), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def test_polynomial_of_a_quadratic_is_itself() -> None:
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(4, 4, generator=generator, dtype=torch.float64)
    precision, centre = root @ root.T, torch.randn(1, 1, 2, 2, generator=generator, dtype=torch.float64)
    x = torch.randn(6, 1, 2, 2, generator=generator, dtype=torch.float64)

    def log_density(y: torch.Tensor) -> torch.Tensor:
        flat = y.flatten(1) - 0.3
        return -0.5 * torch.einsum("ni,ij,nj->n", flat, precision, flat)

    value, slope, curvature = along_the_line(log_density, centre, x)
    torch.testing.assert_close(log_density(centre) + slope + 0.5 * curvature, value)
    deviation = (x - centre).flatten(1)
    torch.testing.assert_close(curvature, -torch.einsum("ni,ij,nj->n", deviation, precision, deviation))


def test_in_logits_a_flow_that_is_only_a_logit_is_exactly_quadratic() -> None:
    """And gains towards the mean what the argument says.

    docs/theory/likelihood-ood.md#the-second-order-argument
    """
    flow, ours = make_flow(size=0.0), images(0, 0, 200)
    found = second_order_gap(flow, ours, images(1, 80, 256), LEVELS, 16, 0)
    assert found["logits"]["polynomial"] == pytest.approx(found["logits"]["measured"], rel=1e-9)
    assert found["pixels"]["polynomial"] != pytest.approx(found["pixels"]["measured"], rel=0.1)
    noise = torch.Generator().manual_seed(0)
    logits = flow.bijection.bijections[0](dequantize(ours, noise, torch.float64))[0].flatten(1)
    variance = logits.var(0, correction=0).sum().item()  # tr(J Sigma J^T), as J is a permutation
    for row in found["logits"]["towards_mean"]:
        expected = 0.5 * (1 - row["level"] ** 2) * variance / (64 * np.log(2))
        assert row["measured"] == pytest.approx(row["polynomial"], abs=1e-9) == pytest.approx(expected, abs=1e-9)
    assert [row["level"] for row in found["pixels"]["towards_mean"]] == list(LEVELS)
    last = found["pixels"]["towards_mean"][-1]
    assert last["measured"] == last["polynomial"] == pytest.approx(0, abs=1e-12)


def test_towards_the_mean_is_measured_on_images_of_the_same_mean() -> None:
    flow, ours = make_flow(), images(0, 0, 200)
    rows = second_order_gap(flow, ours, ours, LEVELS, 16, 3)["pixels"]["towards_mean"]
    x = dequantize(ours, torch.Generator().manual_seed(3), torch.float64)
    with torch.no_grad():
        for row in rows:
            drawn = x.mean(0) + row["level"] * (x - x.mean(0))
            torch.testing.assert_close(drawn.mean(0), x.mean(0))
            change = (flow.log_prob(drawn) - flow.log_prob(x)) / (64 * np.log(2))
            assert row["measured"] == pytest.approx(change.mean().item(), abs=1e-9)
            assert row["measured_se"] == pytest.approx(change.std().item() / np.sqrt(40), abs=1e-9)


def test_measured_gap_is_that_of_the_likelihood() -> None:
    flow, ours, theirs = make_flow(), images(0, 0, 200), images(1, 80, 256)
    found = second_order_gap(flow, ours, theirs, LEVELS, 16, 3)["pixels"]
    generator = torch.Generator().manual_seed(3)
    bits = [to_bits_per_dim(flow.log_prob(dequantize(x, generator, torch.float64)), 64) for x in (ours, theirs)]
    assert found["measured"] == pytest.approx((bits[0].mean() - bits[1].mean()).item(), rel=1e-9)
    assert found["first_order"] + found["second_order"] == pytest.approx(found["polynomial"])


def test_moments_of_pixels() -> None:
    calm, wild = images(0, 100, 156, 500).numpy(), images(1, 0, 256, 500).numpy()
    found = pixel_moments(wild, calm)
    assert found["variance_inside"] == pytest.approx(64 * (256**2 - 1) / 12 / 255**2, rel=0.05)
    assert found["variance_outside"] < found["variance_inside"]
    assert 0 < found["eigenvalues"][0] < found["eigenvalues"][1]
    assert found["largest_mean_difference"] == pytest.approx(np.abs(wild.mean((0, 1)) - calm.mean((0, 1))).max() / 255)
