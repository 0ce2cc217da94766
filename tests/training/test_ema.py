"""The moving average of weights."""

import pytest
import torch
from torch import nn

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.training.ema import EMA


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


def jog(module: nn.Module) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn_like(parameter))
    module(torch.randn(8, 3))


def test_it_is_the_weighted_sum_of_all_weights_so_far() -> None:
    net = network()
    ema = EMA(net, decay=0.5)
    expected = net[0].weight.detach().clone()
    for step in range(6):
        jog(net)
        ema.update()
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * net[0].weight.detach()
    torch.testing.assert_close(ema.average[0].weight, expected)
    assert torch.equal(ema.average[1].running_mean, net[1].running_mean)


def test_training_the_network_leaves_the_average_alone() -> None:
    net = network()
    ema = EMA(net, decay=0.9)
    before = ema.average[0].weight.clone()
    jog(net)
    assert torch.equal(ema.average[0].weight, before)
    assert not any(parameter.requires_grad for parameter in ema.average.parameters())


def test_state_goes_on_where_it_was() -> None:
    net = network()
    ema = EMA(net, decay=0.99)
    for _ in range(5):
        jog(net)
        ema.update()
    other = EMA(net, decay=0.99)
    other.load_state_dict(ema.state_dict())
    jog(net)
    ema.update()
    other.update()
    torch.testing.assert_close(other.state_dict(), ema.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("decay", [0.0, 1.0, -0.1])
def test_a_decay_that_is_none_is_refused(decay: float) -> None:
    with pytest.raises(FashionDGMError, match="decay"):
        EMA(network(), decay)
