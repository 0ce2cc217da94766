"""The moving average of weights; that it goes on where it was saved, test_every_step.py proves."""

import pytest
import torch
from torch import nn

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.training.ema import EMA


def test_it_is_the_weighted_sum_of_all_weights_so_far() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    ema = EMA(net, decay=0.5)
    expected = net[0].weight.detach().clone()
    for step in range(6):
        net[0].weight.data += torch.randn(4, 3)
        net(torch.randn(8, 3))
        ema.update()
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * net[0].weight.detach()
    torch.testing.assert_close(ema.average[0].weight, expected)
    assert torch.equal(ema.average[1].running_mean, net[1].running_mean)
    assert not any(parameter.requires_grad for parameter in ema.average.parameters())


@pytest.mark.parametrize("decay", [0.0, 1.0, -0.1])
def test_a_decay_that_is_none_is_refused(decay: float) -> None:
    with pytest.raises(FashionDGMError, match="decay"):
        EMA(nn.Linear(3, 4), decay)
