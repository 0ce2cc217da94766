from __future__ import annotations

import math

import pytest
import torch

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import AffineCoupling, ChannelHalves, Checkerboard, RealNVP, to_bits_per_dim

EXTREMES = {
    "black": torch.zeros(1, 28, 28),
    "white": torch.ones(1, 28, 28),
    "white but for rounding": torch.full((1, 28, 28), 1 - 2**-24),
    "noise": torch.rand(1, 28, 28, generator=torch.Generator().manual_seed(0)),
    "black and white": torch.eye(28)[None],
}


@pytest.mark.parametrize("scales", [1, 2, 3])
def test_extreme_images_have_a_finite_density_and_come_back(make_config, perturb, scales):
    torch.manual_seed(0)
    flow = RealNVP(make_config(scales=scales))
    images = torch.stack(list(EXTREMES.values()))
    flow(torch.rand(8, 1, 28, 28))
    perturb(flow, 0.02)
    z, _ = flow(images)
    assert flow.log_prob(images).isfinite().all()
    torch.testing.assert_close(flow.inverse(z), images, rtol=0, atol=1e-4)


@pytest.fixture
def flow_of_two(make_config, perturb) -> RealNVP:
    """A flow over the unit square, in float64, with smooth but arbitrary density.

    ActNorm is set by uniform points, so the latents' mass beyond the ends of the logit is negligible.
    """
    torch.manual_seed(0)
    flow = RealNVP(make_config(scales=1, channel_couplings=4, logit_alpha=1e-7), (2, 1, 1)).double()
    flow(torch.rand(10_000, 2, 1, 1))
    return perturb(flow, 0.15).eval()


@pytest.mark.slow
def test_density_integrates_to_one(flow_of_two):
    # The trapezium rule in u, with x = sigmoid(u), is dense near 0 and 1, where the density is steep.
    u = torch.linspace(-30, 30, 250, dtype=torch.float64)
    x = torch.sigmoid(u)
    weight = x * (1 - x) * (u[1] - u[0])
    with torch.no_grad():
        density = flow_of_two.log_prob(torch.cartesian_prod(x, x).reshape(-1, 2, 1, 1)).exp().reshape(250, 250)
    assert density.max() > 1.5
    assert (weight @ density @ weight).item() == pytest.approx(1, abs=1e-4)


def test_log_prob_is_the_change_of_variables(make_config, perturb):
    torch.manual_seed(0)
    flow = perturb(RealNVP(make_config(), (1, 4, 4)).double()).eval()
    x = torch.rand(5, 1, 4, 4, dtype=torch.float64)
    z, log_det = flow(x)
    prior = torch.distributions.Normal(torch.zeros_like(z), 1).log_prob(z).sum(1)
    torch.testing.assert_close(flow.log_prob(x), prior + log_det)


def test_bits_per_dim_are_those_of_the_dequantised_images(make_config, perturb):
    torch.manual_seed(0)
    flow = perturb(RealNVP(make_config(), (1, 4, 4)).double()).eval()
    images = torch.randint(256, (5, 1, 4, 4), dtype=torch.uint8)
    torch.manual_seed(1)
    bits = flow.bits_per_dim(images)
    torch.manual_seed(1)
    noise = torch.randint(2**16, images.shape, dtype=torch.float32).double() / 2**16
    x = (images + noise) / 256
    expected = -(flow.log_prob(x) - 16 * math.log(256)) / (16 * math.log(2))
    torch.testing.assert_close(bits, expected)
    assert bits.shape == (5,)


def test_a_uniform_density_costs_eight_bits(make_config, monkeypatch):
    flow = RealNVP(make_config(), (1, 4, 4))
    monkeypatch.setattr(flow, "log_prob", lambda x, probes: torch.zeros(len(x)))
    assert flow.bits_per_dim(torch.zeros(3, 1, 4, 4, dtype=torch.uint8)).tolist() == [8.0] * 3
    assert to_bits_per_dim(torch.zeros(1), flow.dimensions).item() == 8


def test_samples_are_images_in_the_unit_interval(make_config, perturb):
    flow = perturb(RealNVP(make_config()))
    samples = flow.sample(3, generator=torch.Generator().manual_seed(0))
    assert samples.shape == (3, 1, 28, 28)
    assert samples.dtype == torch.float32
    assert not samples.requires_grad
    assert 0 <= samples.min() < samples.max() <= 1


def test_samples_follow_the_generator(make_config):
    flow = RealNVP(make_config(), (1, 8, 8))

    def draw(seed: int) -> torch.Tensor:
        return flow.sample(2, generator=torch.Generator().manual_seed(seed))

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))


def test_temperature_scales_the_latents(make_config, perturb):
    flow = perturb(RealNVP(make_config(), (1, 8, 8)).double()).eval()
    cool, warm = (flow.sample(2, t, torch.Generator().manual_seed(0)) for t in (0.25, 0.5))
    torch.testing.assert_close(2 * flow(cool)[0], flow(warm)[0])


@pytest.mark.slow
def test_samples_have_the_density_that_log_prob_reports(flow_of_two):
    """The mean of q(x) / p(x) over samples of p is the mass of q, whatever q; here q is 1 on a square of side 0.8."""
    samples = flow_of_two.sample(50_000, generator=torch.Generator().manual_seed(0))
    inside = ((samples > 0.1) & (samples < 0.9)).flatten(1).all(1)
    with torch.no_grad():
        ratio = inside / flow_of_two.log_prob(samples).exp()
    assert ratio.mean().item() == pytest.approx(0.8**2, abs=0.01)


def test_networks_work_at_half_resolution(make_config):
    flow = RealNVP(make_config(checkerboard_couplings=3, channel_couplings=2))
    seen = []
    for layer in flow.modules():
        if isinstance(layer, AffineCoupling):
            layer.conditioner.register_forward_pre_hook(
                lambda _, inputs, layer=layer: seen.append((type(layer.partition), tuple(inputs[0].shape[1:])))
            )
    flow(torch.rand(2, 1, 28, 28))
    assert seen == (
        [(Checkerboard, (2, 14, 14))] * 3
        + [(ChannelHalves, (2, 14, 14))] * 2
        + [(Checkerboard, (4, 7, 7))] * 3
        + [(ChannelHalves, (4, 7, 7))] * 2
    )


@pytest.mark.parametrize(("scales", "size"), [(4, 28), (2, 7), (2, 6)])
def test_scales_that_do_not_fit_are_refused(make_config, scales, size):
    if size == 6:
        RealNVP(make_config(scales=scales), (1, size, size))
        scales += 1
    with pytest.raises(FashionDGMError, match="even height and width; set scales to"):
        RealNVP(make_config(scales=scales), (1, size, size))


def test_one_odd_channel_is_refused(make_config):
    with pytest.raises(FashionDGMError, match="even number of channels"):
        RealNVP(make_config(scales=1), (1, 7, 7))


def test_no_couplings_are_refused(make_config):
    with pytest.raises(FashionDGMError, match="nothing to learn"):
        RealNVP(make_config(checkerboard_couplings=0, channel_couplings=0))


def test_the_config_is_kept(make_config):
    assert RealNVP(make_config()).config == make_config()


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
def test_bad_arguments_are_named(make_config, call, message):
    with pytest.raises(FashionDGMError, match=message):
        call(RealNVP(make_config(), (1, 4, 4)))
