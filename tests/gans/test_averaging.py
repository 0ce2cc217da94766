import copy

import pytest
import torch
from torch import nn

from fashion_dgm.gans.networks import Generator, averaged_generator
from tests.small import gan_config

CONFIG = gan_config(records={"samples": 50, "neighbours": 5})


def norms(network: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]


def test_samples_in_evaluation_are_like_those_in_training() -> None:
    """What the networks make with the statistics of their own batch is what running statistics shall stand for."""
    network = Generator(8, 4)
    # Those of another network, as averaged weights have them.
    for norm in norms(network):
        norm.running_mean.fill_(0.3)
        norm.running_var.fill_(4.0)
    latents = torch.randn(512, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        wanted = copy.deepcopy(network).train()(latents)
        errors = [
            (made(latents) - wanted).square().mean() for made in (averaged_generator(network, CONFIG), network.eval())
        ]
    assert errors[0] < 0.1 * errors[1]


@pytest.mark.parametrize("normalisation", ["batch", "none"])
def test_average_itself_is_left_alone(normalisation: str) -> None:
    network = Generator(8, 4, normalisation)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    random_state = torch.get_rng_state()
    first, again = averaged_generator(network, CONFIG), averaged_generator(network, CONFIG)
    torch.testing.assert_close(dict(network.state_dict()), before, rtol=0, atol=0)
    assert torch.equal(random_state, torch.get_rng_state())
    torch.testing.assert_close(dict(first.state_dict()), dict(again.state_dict()), rtol=0, atol=0)
    for name, parameter in first.named_parameters():
        assert torch.equal(parameter, before[name])
    assert [norm.momentum for norm in norms(first)] == [norm.momentum for norm in norms(network)]
    assert not first.training
