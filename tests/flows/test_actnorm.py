import copy

import pytest
import torch

from fashion_dgm.flows import ActNorm, Chain


@pytest.fixture
def batch() -> torch.Tensor:
    return (
        torch.randn(64, 3, 4, 4) * torch.tensor([0.1, 1.0, 30.0])[:, None, None]
        + torch.tensor([5.0, 0, -9])[:, None, None]
    )


def test_the_first_training_batch_comes_out_with_zero_mean_and_unit_variance(batch):
    layer = ActNorm(3)
    y, _ = layer(batch)
    variance, mean = torch.var_mean(y, dim=(0, 2, 3), correction=0)
    torch.testing.assert_close(mean, torch.zeros(3), rtol=0, atol=1e-5)
    torch.testing.assert_close(variance, torch.ones(3), rtol=1e-4, atol=0)
    # Later ones set nothing.
    layer(10 * batch)
    assert torch.equal(layer(batch)[0], y)


def test_evaluation_initialises_nothing(batch):
    layer = ActNorm(3).eval()
    y, log_det = layer(batch)
    assert torch.equal(y, batch)
    assert torch.equal(log_det, torch.zeros(64))
    assert not layer.initialized


@pytest.mark.parametrize("copied", [False, True])
def test_a_loaded_layer_is_not_initialised_again_unless_its_state_is_fresh(batch, copied):
    trained, first = Chain(ActNorm(3)), Chain(ActNorm(3))
    loaded = copy.deepcopy(first) if copied else first
    fresh = copy.deepcopy(loaded.state_dict())
    trained(batch)
    loaded.load_state_dict(trained.state_dict())
    assert torch.equal(loaded(10 * batch)[0], trained(10 * batch)[0])
    if copied:
        assert first(10 * batch)[0].std().item() == pytest.approx(1, rel=1e-3)
    loaded.load_state_dict(fresh)
    assert loaded(10 * batch)[0].std().item() == pytest.approx(1, rel=1e-3)


def test_a_constant_channel_stays_finite():
    y, log_det = ActNorm(1)(torch.full((4, 1, 2, 2), 3.0))
    assert y.isfinite().all()
    assert log_det.isfinite().all()
