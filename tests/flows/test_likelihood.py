import numpy as np
import pytest
import torch

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import RealNVP, bits_per_dim_of, mean_bits_per_dim
from tests.small import perturb, realnvp_config


@pytest.fixture
def flow() -> RealNVP:
    return perturb(RealNVP(realnvp_config(), (1, 8, 8)))


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randint(256, (23, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_one_value_an_image_whose_noise_follows_the_seed_and_not_the_batch_size(flow, images):
    values = [bits_per_dim_of(flow, images, size, 0, torch.float32) for size in (10, 10, 1, 7, 23, 100)]
    assert values[0].shape == (23,) and values[0].dtype == np.float64
    assert np.array_equal(values[0], values[1])
    for other in values[2:]:
        np.testing.assert_allclose(other, values[0], rtol=1e-5)
    assert not np.allclose(bits_per_dim_of(flow, images, 10, 1, torch.float32), values[0], rtol=1e-5)
    assert mean_bits_per_dim(flow, images, 10, 0, torch.float32) == values[0].mean()


@pytest.mark.parametrize("training", [True, False])
def test_the_flow_is_left_as_it_was(flow, images, training):
    flow.train(training)
    before = {name: value.clone() for name, value in flow.state_dict().items()}
    bits_per_dim_of(flow, images, 10, 0, torch.float32)
    assert flow.training is training
    assert all(torch.equal(value, before[name]) for name, value in flow.state_dict().items())
    assert all(parameter.grad is None for parameter in flow.parameters())


def test_bfloat16_is_close(flow, images):
    exact = bits_per_dim_of(flow, images, 10, 0, torch.float32)
    rounded = bits_per_dim_of(flow, images, 10, 0, torch.bfloat16)
    np.testing.assert_allclose(rounded, exact, rtol=0.02)
    assert not np.array_equal(rounded, exact)


@pytest.mark.parametrize(("count", "batch_size"), [(0, 10), (5, 0)])
def test_nothing_to_evaluate_is_an_error(flow, images, count, batch_size):
    with pytest.raises(FashionDGMError, match="at least one image"):
        bits_per_dim_of(flow, images[:count], batch_size, 0, torch.float32)
