"""What holds of every flow over images, whatever its layers, and how RealNVP and Residual Flow are put together."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fashion_dgm.checkpoint import CheckpointError, checkpoint_of, load_checkpoint, save_checkpoint
from fashion_dgm.config import Config
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import (
    AffineCoupling,
    BaseDistribution,
    Chain,
    ChannelHalves,
    Checkerboard,
    Flow,
    Logit,
    MixtureFlow,
    MultiScale,
    RealNVP,
    ResidualFlow,
    bits_per_dim_of,
    build_flow,
)
from fashion_dgm.registry import build_model
from tests.small import mixture_config, perturb, realnvp_config, residual_config

FLOWS = {
    "RealNVP": lambda shape: RealNVP(realnvp_config(), shape),
    "RealNVP of 1 scale": lambda shape: RealNVP(realnvp_config(scales=1), shape),
    "RealNVP of 3 scales": lambda shape: RealNVP(realnvp_config(scales=3), shape),
    "MixtureFlow": lambda shape: MixtureFlow(mixture_config(), shape),
    "ResidualFlow": lambda shape: ResidualFlow(residual_config(inverse_tolerance=1e-13), shape),
    "ResidualFlow that factors out": lambda shape: ResidualFlow(residual_config(factor_out=True), shape),
    "ResidualFlow of 3 scales": lambda shape: ResidualFlow(residual_config(squeeze_first=False, scales=3), shape),
}


@pytest.fixture(params=["RealNVP", "MixtureFlow", "ResidualFlow"])
def flow(request) -> Flow:
    """In float64, after its first training batch, with arbitrary weights."""
    made = FLOWS[request.param]((1, 8, 8)).double()
    made(torch.rand(16, 1, 8, 8))
    perturb(made).constrain()
    return made.eval()


def noise(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_log_prob_is_the_change_of_variables(flow) -> None:
    """docs/theory/change-of-variables.md#factoring-out-keeps-the-density-exact"""
    x = torch.rand(5, 1, 8, 8, dtype=torch.float64)
    z, log_det = flow(x)
    prior = torch.distributions.Normal(torch.zeros_like(z), 1).log_prob(z).sum(1)
    torch.testing.assert_close(flow.log_prob(x), prior + log_det)


def test_bits_per_dim_are_those_of_the_dequantised_images(flow) -> None:
    """docs/theory/elbo.md#dequantisation-is-an-elbo"""
    images = torch.randint(256, (5, 1, 8, 8), dtype=torch.uint8)
    torch.manual_seed(1)
    bits = flow.bits_per_dim(images)
    torch.manual_seed(1)
    u = torch.randint(2**16, images.shape, dtype=torch.float32).double() / 2**16
    expected = -(flow.log_prob((images + u) / 256) - 64 * math.log(256)) / (64 * math.log(2))
    torch.testing.assert_close(bits, expected)


def test_samples_are_images_that_follow_the_generator_and_the_temperature(flow) -> None:
    samples = flow.sample(3, generator=noise(0))
    assert samples.shape == (3, 1, 8, 8)
    assert not samples.requires_grad
    assert 0 <= samples.min() < samples.max() <= 1
    assert torch.equal(samples, flow.sample(3, generator=noise(0)))
    assert not torch.equal(samples, flow.sample(3, generator=noise(1)))
    cool, warm = (flow.sample(2, temperature, noise(0)) for temperature in (0.25, 0.5))
    torch.testing.assert_close(2 * flow(cool)[0], flow(warm)[0])


@pytest.mark.parametrize("name", FLOWS)
def test_extreme_images_have_a_finite_density_and_come_back(name) -> None:
    flow = FLOWS[name]((1, 28, 28))
    black, white, rounded = (torch.full((1, 28, 28), value) for value in (0.0, 1.0, 1 - 2**-24))
    images = torch.stack([black, white, rounded, torch.rand(1, 28, 28), torch.eye(28)[None]])
    flow(torch.rand(8, 1, 28, 28))
    perturb(flow, 0.02).constrain()
    z, _ = flow.eval()(images)
    assert flow.log_prob(images).isfinite().all()
    torch.testing.assert_close(flow.inverse(z), images, rtol=0, atol=1e-3 if flow.estimated else 1e-4)


@pytest.mark.parametrize("name", ["RealNVP", "MixtureFlow", "ResidualFlow"])
def test_a_checkpoint_rebuilds_the_flow(name, tmp_path) -> None:
    flow = FLOWS[name]((1, 28, 28))
    flow(torch.rand(8, 1, 28, 28))
    perturb(flow, 0.02).constrain()
    save_checkpoint(checkpoint_of(flow, name, flow.config.model_dump(mode="json")), tmp_path / "flow")
    rebuilt = build_flow(load_checkpoint(tmp_path / "flow"))
    assert type(rebuilt) is type(flow) and rebuilt.config == flow.config
    images = torch.randint(256, (4, 1, 28, 28), dtype=torch.uint8)
    bits = [bits_per_dim_of(one, images, 4, 0, torch.float32).tolist() for one in (flow, rebuilt)]
    assert bits[0] == bits[1]


def test_only_flows_are_built() -> None:
    with pytest.raises(CheckpointError, match="holds a Generator, not a flow"):
        build_flow(checkpoint_of({}, "Generator", {}))
    with pytest.raises(CheckpointError, match="holds a ResidualFlow, not a RealNVP"):
        build_model(checkpoint_of({}, "ResidualFlow", {}), "RealNVP")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda flow: flow.sample(0), "at least 1"),
        (lambda flow: flow.sample(1, temperature=0), "temperature"),
        (lambda flow: flow.sample(1, temperature=-1), "temperature"),
        (lambda flow: flow.sample(1, temperature=math.nan), "temperature"),
        (lambda flow: flow.log_prob(torch.zeros(2, 1, 4, 4, dtype=torch.uint8)), "bits_per_dim"),
        (lambda flow: flow.log_prob(torch.zeros(2, 1, 4, 5)), r"\(N, 1, 4, 4\), not \(2, 1, 4, 5\)"),
        (lambda flow: flow.log_prob(torch.zeros(1, 4, 4)), r"\(N, 1, 4, 4\)"),
        (lambda flow: flow.bits_per_dim(torch.zeros(2, 1, 4, 4)), "uint8"),
        (lambda flow: flow.bits_per_dim(torch.zeros(2, 4, 4, dtype=torch.uint8)), r"\(N, 1, 4, 4\)"),
        (lambda flow: flow.inverse(torch.zeros(2, 17)), r"\(N, 16\), not \(2, 17\)"),
        (lambda flow: flow.inverse(torch.zeros(2, 1, 4, 4)), r"\(N, 16\)"),
    ],
)
def test_bad_arguments_are_named(call, message) -> None:
    with pytest.raises(FashionDGMError, match=message):
        call(RealNVP(realnvp_config(), (1, 4, 4)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RealNVP(realnvp_config(scales=4)), "even height and width; set scales to 3"),
        (lambda: RealNVP(realnvp_config(), (1, 7, 7)), "even height and width; set scales to 1"),
        (lambda: RealNVP(realnvp_config(scales=3), (1, 6, 6)), "even height and width; set scales to 2"),
        (lambda: RealNVP(realnvp_config(scales=1), (1, 7, 7)), "even number of channels"),
        (lambda: RealNVP(realnvp_config(checkerboard_couplings=0, channel_couplings=0)), "nothing to learn"),
        (lambda: ResidualFlow(residual_config(scales=4, squeeze_first=False)), "squeeze 7x7 before scale"),
        (lambda: ResidualFlow(residual_config(scales=3)), "squeeze 7x7 before scale"),
    ],
)
def test_architectures_that_do_not_fit_are_refused(make, message) -> None:
    with pytest.raises(FashionDGMError, match=message):
        make()


def test_networks_of_realnvp_work_at_half_resolution() -> None:
    flow = RealNVP(realnvp_config(checkerboard_couplings=3, channel_couplings=2))
    seen = []
    for layer in flow.modules():
        if isinstance(layer, AffineCoupling):
            layer.conditioner.register_forward_pre_hook(
                lambda _, inputs, layer=layer: seen.append((type(layer.partition), tuple(inputs[0].shape[1:])))
            )
    flow(torch.rand(2, 1, 28, 28))
    first = [(Checkerboard, (2, 14, 14))] * 3 + [(ChannelHalves, (2, 14, 14))] * 2
    assert seen == first + [(Checkerboard, (4, 7, 7))] * 3 + [(ChannelHalves, (4, 7, 7))] * 2


class Logistic(BaseDistribution):
    """The logistic distribution with a scale that can be learnt."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def log_prob(self, z: Tensor) -> Tensor:
        z = z / self.scale
        return (-z - 2 * F.softplus(-z) - self.scale.log()).sum(1)

    def sample(self, n, dimensions, generator, device, dtype) -> Tensor:
        return self.scale * torch.logit(torch.rand(n, dimensions, generator=generator, device=device, dtype=dtype))


def test_another_base_distribution_gives_density_and_samples_and_is_learnt() -> None:
    """The logistic is the distribution of the logit of a uniform number: that of the images is uniform."""
    shape = (1, 4, 4)
    flow = Flow(Config(), shape, Chain(Logit(1e-6), MultiScale([Chain()], [shape])), Logistic())
    images = 0.05 + 0.9 * torch.rand(20, *shape, generator=noise(0))
    log_prob = flow.log_prob(images)
    torch.testing.assert_close(log_prob, torch.zeros(20), rtol=0, atol=1e-3)
    log_prob.sum().backward()
    assert flow.base.scale.grad != 0 and "base.scale" in flow.state_dict()
    samples = flow.sample(4000, generator=noise(1))
    assert abs(samples.mean() - 1 / 2) < 0.01 and abs(samples.var() - 1 / 12) < 0.002
