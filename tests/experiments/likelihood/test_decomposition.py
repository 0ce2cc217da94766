import numpy as np
import pytest
import torch
from tests.small import make_flow

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.experiments.likelihood import decompose
from fashion_dgm.flows.likelihood import bits_per_dim_of

IMAGES = torch.randint(0, 256, (7, 1, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@pytest.mark.parametrize("changes", [{}, {"components": 2}])
def test_parts_sum_to_the_bits_of_the_likelihood(changes) -> None:
    """docs/reading-the-numbers.md#likelihood-decomposition"""
    flow = make_flow(**changes)
    found = decompose(flow, IMAGES, batch_size=3, seed=5)
    bits = bits_per_dim_of(flow, IMAGES, 4, 5, torch.float64)
    np.testing.assert_allclose(found.bits_per_dim, bits, rtol=1e-12)
    np.testing.assert_allclose(8 + sum(found.parts.values()), bits, rtol=1e-12)
    np.testing.assert_allclose(found.stops[-1], bits, rtol=1e-12)


def test_parts_are_named_by_kind_and_scale_and_actnorm_costs_every_image_the_same() -> None:
    parts = decompose(make_flow(), IMAGES, 7, 0).parts
    assert [*parts] == ["logit", "actnorm", "coupling_1", "coupling_2", "latents_1", "latents_2"]
    assert np.ptp(parts["actnorm"]) < 1e-12
    assert np.ptp(parts["logit"]) > 1e-3


def test_norms_are_those_of_the_latents() -> None:
    flow = make_flow()
    found = decompose(flow, IMAGES, 7, 0)
    for norms, bits, size in zip(found.norms, found.latents, found.sizes, strict=True):
        expected = (0.5 * size * (norms**2 + np.log(2 * np.pi))) / (64 * np.log(2))
        np.testing.assert_allclose(bits, expected, rtol=1e-12)
    np.testing.assert_allclose(found.norm**2, (found.norms**2).mean(0), rtol=1e-12)


def test_neighbours_separate_noise_from_structure() -> None:
    flow = make_flow(shape=(1, 28, 28), size=0.0)
    noise = torch.randint(0, 256, (4, 1, 28, 28), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    halves = torch.full_like(noise, 20)
    halves[..., 14:, :] = 230
    # False alarm below 1 in a million: the correlation of noise has a standard deviation of about 1 / sqrt(1512).
    assert np.abs(decompose(flow, noise, 4, 0).neighbours).max() < 5.2 / np.sqrt(1512)
    assert decompose(flow, halves, 4, 0).neighbours.min() > 0.9


def test_mode_is_left_alone_and_no_image_is_an_error() -> None:
    flow = make_flow().train()
    decompose(flow, IMAGES, 7, 0)
    assert flow.training
    with pytest.raises(FashionDGMError, match="at least one image"):
        decompose(flow, IMAGES[:0], 7, 0)
