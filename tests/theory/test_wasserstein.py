"""The claims of docs/theory/wasserstein.md."""

import itertools
import math
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.stats import spearmanr
from torch import Tensor, nn

from fashion_dgm.config import DiracConfig
from fashion_dgm.experiments.gradients.dirac_gan import descend, dirac_gans
from fashion_dgm.gans import objectives
from fashion_dgm.gans.lipschitz import clip_weights
from tests.conftest import ROOT
from tests.theory.conftest import minimise, wasserstein_distance

Array = NDArray[np.float64]


@dataclass
class Transport:
    """An optimal transport between weights on the same points, and its one-function dual."""

    points: Array
    p: Array
    g: Array
    cost: Array
    plan: Array
    distance: float
    psi: Array

    def potential(self, x: Array) -> Array:
        """The page's `f(x) = min_j |x - x_j| - psi_j` at points `(n, 2)`."""
        return (np.linalg.norm(x[:, None] - self.points, axis=-1) - self.psi).min(axis=1)


@pytest.fixture(params=range(4))
def transport(request: pytest.FixtureRequest) -> Transport:
    rng = np.random.default_rng(request.param)
    n = 12
    points = rng.normal(size=(n, 2))
    p, g = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(n))
    cost = np.linalg.norm(points[:, None] - points, axis=-1)
    rows, columns = np.kron(np.eye(n), np.ones(n)), np.kron(np.ones(n), np.eye(n))
    result = linprog(cost.ravel(), A_eq=np.vstack((rows, columns)), b_eq=np.concatenate((p, g)), method="highs")
    assert result.status == 0
    return Transport(points, p, g, cost, result.x.reshape(n, n), result.fun, result.eqlin.marginals[n:])


def test_primal_equals_dual_with_one_lipschitz_potential(transport: Transport) -> None:
    """docs/theory/wasserstein.md#kantorovichrubinstein-duality

    And docs/theory/wasserstein.md#the-estimate-is-only-as-good-as-the-critic
    """
    f, signed = transport.potential(transport.points), transport.p - transport.g
    assert f @ signed == pytest.approx(transport.distance, abs=1e-9)
    assert (np.abs(f[:, None] - f) <= transport.cost + 1e-9).all()
    # The easy half: no other 1-Lipschitz function gives more, and what is missing is what it has to learn.
    rng, estimates = np.random.default_rng(0), []
    for _ in range(100):
        w = rng.normal(size=2) * rng.exponential(3)
        other = np.sin(transport.points @ w + rng.uniform(0, 6)) / np.linalg.norm(w)
        estimates.append(float(other @ signed))
        assert estimates[-1] <= transport.distance + 1e-12
        assert (f - other) @ signed == pytest.approx(transport.distance - estimates[-1], abs=1e-9)
    assert min(estimates) < 0 < max(estimates)


def test_optimal_critic_has_gradient_norm_one_between_matched_pairs(transport: Transport) -> None:
    """docs/theory/wasserstein.md#the-optimal-critic-has-gradient-norm-one"""
    matched = [(i, j) for i, j in zip(*np.nonzero(transport.plan > 1e-9), strict=True) if i != j]
    assert matched
    for i, j in matched:
        t = np.linspace(0, 1, 11)
        segment = transport.points[i] + t[:, None] * (transport.points[j] - transport.points[i])
        expected = transport.potential(transport.points[[i]]) - t * transport.cost[i, j]
        np.testing.assert_allclose(transport.potential(segment), expected, atol=1e-9)


def test_critic_loss_scales_with_the_critic_and_is_bounded_by_its_gradient_norm() -> None:
    """docs/theory/wasserstein.md#the-lipschitz-constraint-is-necessary

    And docs/theory/elbo.md#comparison-of-flows-vaes-and-gans
    """
    generator = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(50, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    fake = 0.5 * fake + 1
    distance = wasserstein_distance(real, fake)
    best = 0.0
    for _ in range(50):
        w = torch.randn(3, generator=generator, dtype=torch.float64)
        for slope in (0.5, 1.0, 3.0):
            scores = [slope * torch.sin(x @ w) / w.norm() for x in (real, fake)]
            estimate = objectives.wasserstein_estimate(*scores).item()
            assert estimate <= slope * distance
            assert objectives.critic_loss(*scores).item() == -estimate
            assert objectives.critic_loss(*(100 * s for s in scores)).item() == pytest.approx(-100 * estimate)
            best = max(best, estimate / slope)
    assert best > 0.3 * distance


def test_with_one_critic_step_the_estimate_does_not_follow_the_distance() -> None:
    """docs/theory/wasserstein.md#the-estimate-is-only-as-good-as-the-critic"""
    # Data at 0, the generator at theta, critics psi x with |psi| <= 1: W_1 = |theta|, the estimate is -psi theta.
    config = DiracConfig(start=(0.8, 0.3), step_size=0.01, steps=1, clip=1.0, gradient_penalty=10, r1=1)
    theta, psi = descend(dirac_gans(config)["clipped"], (0.8, 0.3), 0.01, 20_000).T
    estimates = -psi * theta
    assert (estimates <= np.abs(theta) + 1e-12).all()
    assert abs(np.corrcoef(estimates, np.abs(theta))[0, 1]) < 0.05
    assert abs(estimates.mean()) < 0.01 * np.abs(theta).mean()
    assert min(-estimates.min(), estimates.max()) > 0.3
    # After so many steps that it is optimal, they agree.
    for place in (0.8, 0.1, -0.3):
        _, optimal = descend(dirac_gans(config)["clipped"], (place, 0.0), 0.01, 1, discriminator_steps=2000)[1]
        assert -optimal * place == pytest.approx(abs(place))


def test_estimates_and_distances_of_the_published_runs() -> None:
    """docs/theory/wasserstein.md#the-estimate-is-only-as-good-as-the-critic"""
    results = ROOT / "docs" / "results"
    page = (ROOT / "docs" / "theory" / "wasserstein.md").read_text(encoding="utf-8").replace("\u2212", "-")
    rows = [
        [float(x) for x in re.findall(r"(?<=\| )-?[\d.]+(?= \|)", row)] for row in re.findall(r"^\|.*\|$", page, re.M)
    ]
    wgans = [f"assigned/seed={seed}" for seed in range(3)]
    correlations = {}
    for model, folder in (("wgan_gp", "hour"), ("wgan_gp", "methods/seed=0"), *(("wgan", folder) for folder in wgans)):
        estimates = pd.read_csv(results / folder / f"{model}_history.csv").set_index("epoch")["wasserstein_estimate"]
        table = pd.read_csv(results / folder / "fid_by_epoch.csv")
        table = table[(table["split"] == "test") & (table["feature_space"] == "classifier") & (table["model"] == model)]
        distances = table.set_index("epoch")["distance"]
        correlations[folder] = [
            round(spearmanr(estimates[kept.index], kept).statistic, 2) for kept in (distances, distances.loc[10:])
        ]
        if folder in wgans[1:]:
            continue
        epochs = [epoch for epoch in (1, 10, 20, 50, 100) if epoch in distances.index]
        shown = [round(estimates[epoch], 3 if model == "wgan" else 2) for epoch in epochs]
        (place,) = (i for i, row in enumerate(rows) if row == shown)
        by_epoch = [round(distances[epoch], 1 if distances[epoch] < 10 else 0) for epoch in epochs]
        assert rows[place + 1] == by_epoch + correlations[folder]
    over_all, late = zip(*(correlations[folder] for folder in wgans[1:]), strict=True)
    assert "correlations are {:.2f} and\n{:.2f} ({:.2f} and {:.2f} from epoch 10 on)".format(*over_all, *late) in page
    estimates = pd.read_csv(results / "methods/seed=0/wgan_gp_history.csv").set_index("epoch")["wasserstein_estimate"]
    assert estimates.idxmax() == 7  # "rose for seven epochs"


def test_gradient_of_the_distance_comes_from_the_critic() -> None:
    """docs/theory/wasserstein.md#the-optimal-critic-has-gradient-norm-one"""
    z = torch.special.ndtri((torch.arange(1000, dtype=torch.float64) + 0.5) / 1000)
    # In one dimension the sorted values are matched. For G(z) = s z + t, with s > 1 or t > 0, f* is -|x| or -x.
    for scale, shift, potential in ((1.7, 0.0, lambda x: -x.abs()), (1.0, 0.8, lambda x: -x)):
        parameters = torch.tensor([scale, shift], dtype=torch.float64, requires_grad=True)
        fake = parameters[0] * z + parameters[1]
        distance = (fake - z).abs().mean()
        assert objectives.wasserstein_estimate(potential(z), potential(fake)).item() == pytest.approx(distance.item())
        (expected,) = torch.autograd.grad(distance, parameters, retain_graph=True)
        (gradient,) = torch.autograd.grad(objectives.critic_generator_loss(potential(fake)), parameters)
        torch.testing.assert_close(gradient, expected)
        assert gradient.norm() > 0.7


SIZE, CLIP = 16, 0.01


def shifted(delta: Tensor) -> tuple[Tensor, Tensor]:
    real = torch.randn(40, SIZE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return real, real - delta


def linear_critic() -> nn.Linear:
    critic = nn.Linear(SIZE, 1, bias=False).double()
    nn.init.zeros_(critic.weight)
    return critic


def uneven() -> Tensor:
    return torch.randn(SIZE, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def one_coordinate() -> Tensor:
    return 2.0 * torch.eye(SIZE, dtype=torch.float64)[3]


@pytest.mark.parametrize("delta", [uneven(), one_coordinate()], ids=["uneven", "one coordinate"])
def test_clipping_biases_the_critic(delta: Tensor) -> None:
    """docs/theory/wasserstein.md#clipping-biases-the-critic"""
    real, fake = shifted(delta)
    distance = wasserstein_distance(real, fake)
    assert distance == pytest.approx(delta.norm().item())

    critic = linear_critic()
    optimizer = torch.optim.SGD(critic.parameters(), lr=0.1)
    for _ in range(50):
        optimizer.zero_grad()
        objectives.critic_loss(critic(real), critic(fake)).backward()
        optimizer.step()
        clip_weights(critic, CLIP)
    weight = critic.weight.detach()[0]
    moved = delta != 0
    torch.testing.assert_close(weight[moved], CLIP * delta[moved].sign(), rtol=0, atol=1e-12)
    estimate = objectives.wasserstein_estimate(critic(real), critic(fake)).item()
    largest_slope = CLIP * math.sqrt(SIZE)
    assert estimate / largest_slope == pytest.approx(delta.abs().sum().item() / math.sqrt(SIZE))
    assert estimate / largest_slope < 0.9 * distance
    if moved.sum() == 1:
        assert estimate / largest_slope == pytest.approx(distance / math.sqrt(SIZE))
    # On the ball of slope 1 instead of the box, the linear critic finds the distance.
    unit = delta / delta.norm()
    assert objectives.wasserstein_estimate(real @ unit, fake @ unit).item() == pytest.approx(distance)


def test_clipped_networks_scale_with_the_power_of_their_depth() -> None:
    """docs/theory/wasserstein.md#clipping-biases-the-critic"""
    generator = torch.Generator().manual_seed(0)
    widths = [SIZE, 12, 10, 8, 1]
    layers = [nn.Linear(inputs, outputs, bias=False) for inputs, outputs in itertools.pairwise(widths)]
    critic = nn.Sequential(*[part for layer in layers for part in (layer, nn.LeakyReLU(0.2))][:-1]).double()
    with torch.no_grad():
        for layer in layers:
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator))
    x, y = (torch.randn(500, SIZE, generator=generator, dtype=torch.float64) for _ in range(2))

    @torch.no_grad()
    def scores(bound: float) -> Tensor:
        # Far above the bound, as a trained critic pushes them: every weight ends at +-bound.
        for layer in layers:
            layer.weight.mul_(1e6)
        assert clip_weights(critic, bound).item() == 1
        return critic(x)[:, 0]

    torch.testing.assert_close(scores(0.02), 2 ** len(layers) * scores(0.01))
    with torch.no_grad():
        slope = ((critic(x) - critic(y))[:, 0].abs() / (x - y).norm(dim=1)).max().item()
    spectral = math.prod(torch.linalg.matrix_norm(layer.weight.detach(), 2).item() for layer in layers)
    by_size = math.prod(0.01 * math.sqrt(layer.weight.numel()) for layer in layers)
    assert 0 < slope <= spectral <= by_size * (1 + 1e-9)
    assert slope < 0.5 * by_size


@pytest.mark.parametrize("coefficient", [1.0, 10.0])
def test_penalty_finds_the_direction_and_overshoots_the_gradient_norm(coefficient: float) -> None:
    """docs/theory/wasserstein.md#the-gradient-penalty-is-not-exact-either"""
    delta = uneven()
    real, fake = shifted(delta)
    mix = torch.rand(40, 1, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    between = mix * real + (1 - mix) * fake.roll(1, 0)
    critic = linear_critic()
    nn.init.constant_(critic.weight, 0.1)

    def loss() -> Tensor:
        penalty = objectives.gradient_penalty(objectives.gradient_norms(lambda x: critic(x)[:, 0], between))
        return objectives.critic_loss(critic(real), critic(fake)) + coefficient * penalty

    minimise(loss, critic.parameters())
    weight = critic.weight.detach()[0]
    expected = 1 + delta.norm() / (2 * coefficient)
    torch.testing.assert_close(weight, expected * delta / delta.norm(), rtol=0, atol=1e-5)
    estimate = objectives.wasserstein_estimate(critic(real), critic(fake))
    assert estimate.item() == pytest.approx((expected * delta.norm()).item(), rel=1e-5)
