from __future__ import annotations

import pytest
import torch

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import AffineCoupling, ChannelHalves, ResidualConditioner


def test_a_new_coupling_is_the_identity():
    coupling = AffineCoupling(ChannelHalves(0), ResidualConditioner(2, 8, 4, 2))
    x = torch.randn(3, 4, 5, 5)
    y, log_det = coupling(x)
    assert torch.equal(y, x)
    assert torch.equal(log_det, torch.zeros(3))


def test_the_half_that_is_read_stays(perturb):
    coupling = perturb(AffineCoupling(ChannelHalves(1), ResidualConditioner(1, 8, 2, 0)))
    x = torch.randn(3, 2, 4, 4)
    y, _ = coupling(x)
    assert torch.equal(y[:, 1], x[:, 1])
    assert not torch.isclose(y[:, 0], x[:, 0]).any()


def test_log_scales_are_bounded_by_the_learned_scale():
    coupling = AffineCoupling(ChannelHalves(0), ResidualConditioner(1, 4, 2, 0))
    torch.nn.init.constant_(coupling.conditioner.output.bias, 1e6)
    x = torch.zeros(1, 2, 3, 3)
    _, log_det = coupling(x)
    assert log_det.item() == 9


def test_an_odd_number_of_outputs_is_refused():
    with pytest.raises(FashionDGMError, match="not 3"):
        AffineCoupling(ChannelHalves(0), ResidualConditioner(1, 4, 3, 0))
