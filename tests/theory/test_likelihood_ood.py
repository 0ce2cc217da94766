"""The claims of docs/theory/likelihood-ood.md."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from fashion_dgm.flows import to_bits_per_dim
from fashion_dgm.flows.preprocessing import Logit
from fashion_dgm.metrics.detection import detection

LogDensity = Callable[[Tensor], Tensor]


def log_normal(z: Tensor) -> Tensor:
    return -0.5 * (z.square() + math.log(2 * math.pi)).sum(-1)


def normal_mean(function: LogDensity, mean: Tensor, covariance: Tensor, nodes: int = 6) -> Tensor:
    """The expectation under a normal distribution by Gauss-Hermite: exact for polynomials of degree `2 nodes - 1`."""
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    grid = torch.tensor(list(itertools.product(points, repeat=len(mean))))
    weight = torch.tensor([math.prod(part) for part in itertools.product(weights, repeat=len(mean))])
    values = function(mean + grid @ torch.linalg.cholesky(covariance).T)
    return (weight * values).sum() / weight.sum()


def a_covariance(size: int, seed: int) -> Tensor:
    root = torch.randn(size, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return root @ root.T + 0.5 * torch.eye(size, dtype=torch.float64)


def a_vector(size: int, seed: int) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_samples_lie_far_below_the_mode() -> None:
    """docs/theory/likelihood-ood.md#typical-is-not-most-likely

    False alarm: about 2 in a million (4.9 standard errors, for the mean and for the variance).
    """
    size, count = 784, 4000
    z = torch.randn(count, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    below = log_normal(torch.zeros(size, dtype=torch.float64)) - log_normal(z)
    assert abs(below.mean() - size / 2) < 4.9 * math.sqrt(size / 2 / count)
    assert abs(below.var() / (size / 2) - 1) < 4.9 * math.sqrt((2 + 12 / size) / count)
    assert below.min() > size / 2 - 8 * math.sqrt(size / 2)


@pytest.mark.parametrize("size", [500, 2000])
def test_typical_set_fills_up(size: int) -> None:
    """docs/theory/likelihood-ood.md#typical-is-not-most-likely

    False alarm: below 1 in a million, as Chebyshev's bound is far from tight.
    """
    # Laplace: -log p(x) = |x| + log 2, so h = 1 + log 2 and v = Var |x| = 1.
    generator = np.random.default_rng(0)
    surprise = np.abs(generator.laplace(size=(1000, size))).mean(axis=1) + math.log(2)
    epsilon = 0.1
    typical = np.abs(surprise - (1 + math.log(2))) <= epsilon
    assert typical.mean() >= 1 - 1 / (size * epsilon**2)


@pytest.mark.parametrize("perfect", [True, False])
def test_difference_of_likelihoods_is_entropy_minus_divergence_plus_the_models_own(perfect: bool) -> None:
    """docs/theory/likelihood-ood.md#when-ood-inputs-are-more-likely"""
    data, other, model = (
        torch.distributions.MultivariateNormal(a_vector(3, seed), scale * a_covariance(3, seed + 10))
        for seed, scale in ((1, 1.0), (3, 0.2), (1 if perfect else 2, 1.0 if perfect else 1.5))
    )
    under_other, under_data = (normal_mean(model.log_prob, d.mean, d.covariance_matrix) for d in (other, data))
    kl = torch.distributions.kl_divergence
    expected = data.entropy() - other.entropy() - kl(other, model) + kl(data, model)
    torch.testing.assert_close(under_other - under_data, expected)
    assert (kl(data, model) > 0.1) != perfect  # what the identity of a perfect model would miss


def test_a_perfect_model_finds_ood_images_of_less_variance_more_likely() -> None:
    """docs/theory/likelihood-ood.md#when-ood-inputs-are-more-likely

    False alarm: below 2 in a million (4.9 standard errors of the mean; the AUROC is expected at 1e-9).
    """
    size, count, tau = 784, 2000, 0.8
    generator = torch.Generator().manual_seed(0)
    in_distribution, ood = (torch.randn(count, size, generator=generator, dtype=torch.float64) for _ in range(2))
    inside, outside = log_normal(in_distribution), log_normal(tau * ood)
    error = math.sqrt((inside.var() + outside.var()) / count)
    assert abs(outside.mean() - inside.mean() - size / 2 * (1 - tau**2)) < 4.9 * error
    scores = [to_bits_per_dim(log_prob, size).numpy() for log_prob in (inside, outside)]
    assert detection(*scores, bootstrap=2, confidence=0.9, seed=0).auroc < 0.001


def second_order(log_density: LogDensity, mean: Tensor, data: Tensor, shift: Tensor, ood: Tensor) -> Tensor:
    """The right side of the page's second-order formula, with derivatives by autograd."""
    gradient = torch.autograd.functional.jacobian(log_density, mean)
    hessian = torch.autograd.functional.hessian(log_density, mean)
    return gradient @ shift + 0.5 * shift @ hessian @ shift + 0.5 * torch.trace(hessian @ (ood - data))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("factor", [0.1, 0.5, 0.9])
def test_drawn_towards_the_mean_is_likelier_and_darker_need_not_be(factor: float, seed: int) -> None:
    """docs/theory/likelihood-ood.md#the-second-order-argument"""
    one, eye = torch.ones(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64)
    weight, mean, data = a_vector(9, seed).reshape(3, 3) + eye, 100 * a_vector(3, seed + 20), a_covariance(3, seed)

    def log_density(x: Tensor) -> Tensor:
        return log_normal((x - mean) @ weight.T) + torch.linalg.slogdet(weight).logabsdet

    def difference(shift: Tensor, covariance: Tensor) -> Tensor:
        """Of the mean log-density of OOD images from that of the data, equal to that of the formula."""
        found = normal_mean(log_density, mean + shift, covariance) - normal_mean(log_density, mean, data)
        torch.testing.assert_close(found, second_order(log_density, mean, data, shift, covariance))
        return found

    def change(matrix: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
        """The difference of the images `matrix x + offset`, and of their mean."""
        shift = matrix @ mean + offset - mean
        return difference(shift, matrix @ data @ matrix.T), shift

    difference(a_vector(3, seed + 40), a_covariance(3, seed + 60))
    # Of equal means, whatever varies less in every direction is likelier.
    calm = data - 0.3 * eye
    calmer = difference(0 * mean, calm)
    assert torch.linalg.eigvalsh(calm).min() > 0 and calmer > 0
    torch.testing.assert_close(calmer, 0.5 * torch.trace(weight @ (data - calm) @ weight.T))

    spread, shift = change(factor * eye, (1 - factor) * mean)
    torch.testing.assert_close(spread, 0.5 * (1 - factor**2) * torch.trace(weight @ data @ weight.T))
    assert spread > 0 and shift.abs().max() < 1e-12
    darker, shift = change(factor * eye, 0 * mean)
    torch.testing.assert_close(shift, -(1 - factor) * mean)
    grey = one[:, None] @ one[None] / 3  # takes an image to that of its mean pixel
    flatter, grey_shift = change(grey + factor * (eye - grey), 0 * mean)
    torch.testing.assert_close(grey_shift, -(1 - factor) * (mean - mean.mean() * one))
    assert darker < 0 and flatter < 0  # both means move so far that what the smaller covariance gains is lost


def test_second_order_is_the_limit_for_small_spread() -> None:
    """docs/theory/likelihood-ood.md#the-second-order-argument"""

    def flow(x: Tensor) -> Tensor:
        # An additive coupling: constant volume, but curved.
        return torch.stack((x[..., 0], x[..., 1] + torch.tanh(2 * x[..., 0])), dim=-1)

    def log_density(x: Tensor) -> Tensor:
        return log_normal(flow(x))

    mean, data, ood = a_vector(2, 12), a_covariance(2, 13), 0.3 * a_covariance(2, 14)
    nothing = torch.zeros(2, dtype=torch.float64)
    limit = second_order(log_density, mean, data, nothing, ood)

    def error(spread: float) -> float:
        parts = [normal_mean(log_density, mean, spread**2 * part, nodes=40) for part in (ood, data)]
        return abs((parts[0] - parts[1]) / spread**2 - limit).item()

    assert error(0.02) < 0.02 * abs(limit.item())
    assert error(0.02) / error(0.01) == pytest.approx(4, rel=0.05)  # the next term is of fourth order in the spread
    # The curvature of the map, which the page's fourth assumption drops, is all that is missing from -J^T J.
    slope = torch.autograd.functional.jacobian(flow, mean)
    curvature = sum(
        flow(mean)[k] * torch.autograd.functional.hessian(lambda x, k=k: flow(x)[k], mean) for k in range(2)
    )
    hessian = torch.autograd.functional.hessian(log_density, mean)
    torch.testing.assert_close(hessian, -slope.T @ slope - curvature)


def test_coordinates_decide_the_ranking() -> None:
    """docs/theory/likelihood-ood.md#densities-depend-on-coordinates"""
    x = torch.tensor([0.1, 1.5], dtype=torch.float64, requires_grad=True)

    def log_density_after(transform: Callable[[Tensor], Tensor]) -> Tensor:
        (slope,) = torch.autograd.grad(transform(x).sum(), x)
        return (log_normal(x[:, None]) - slope.log()).detach()

    plain = log_density_after(lambda x: x)
    uniform = log_density_after(torch.special.ndtr)
    reversed_ = log_density_after(lambda x: torch.special.ndtr(x).sqrt())
    assert plain[0] > plain[1]
    torch.testing.assert_close(uniform, torch.zeros(2, dtype=torch.float64), rtol=0, atol=1e-12)
    assert reversed_[0] < reversed_[1]
    # Of a flow: the middle one is the likelier logit, and the brighter one the likelier pixel.
    pixels = torch.tensor([0.5, 0.98], dtype=torch.float64).view(2, 1, 1, 1)
    logits, log_det = Logit(alpha=1e-6)(pixels)
    middle, bright = log_normal(logits.flatten(1) / 3)
    assert middle > bright and middle + log_det[0] < bright + log_det[1]


def test_typicality_depends_on_coordinates_and_ratios_do_not() -> None:
    """docs/theory/likelihood-ood.md#densities-depend-on-coordinates"""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    draws, weight = torch.from_numpy(nodes), torch.from_numpy(weights / weights.sum())
    points = torch.tensor([0.1, 1.0, 2.5], dtype=torch.float64)
    p, q = torch.distributions.Normal(0.0, 1.0), torch.distributions.Normal(0.5, 2.0)

    def scores(transform: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Typicality and log-ratio of each point after the transform, and the divergence of p from q."""
        x = torch.cat([points, draws]).requires_grad_()
        (slope,) = torch.autograd.grad(transform(x).sum(), x)
        log_p, log_q = ((d.log_prob(x) - slope.log()).detach() for d in (p, q))
        entropy = -(weight * log_p[3:]).sum()
        return (-log_p[:3] - entropy).abs(), (log_p - log_q)[:3], (weight * (log_p - log_q)[3:]).sum()

    typicality, ratio, divergence = scores(lambda x: x)
    assert typicality.argsort().tolist() == [1, 0, 2]
    for transform, order in (
        (lambda x: 3 * x - 1, [1, 0, 2]),  # an affine map changes all volumes alike
        (lambda x: torch.exp(1.5 * x), [0, 1, 2]),
    ):
        found, same_ratio, same_divergence = scores(transform)
        assert found.argsort().tolist() == order
        torch.testing.assert_close(same_ratio, ratio)
        torch.testing.assert_close(same_divergence, divergence)
    torch.testing.assert_close(scores(torch.special.ndtr)[0], 0 * points, rtol=0, atol=1e-9)
