"""The claims of docs/theory/convergence.md, on the Dirac-GAN of Mescheder et al. (2018) with the project's own losses."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from torch import Tensor

from fashion_dgm.config import DiracConfig
from fashion_dgm.experiments.gradients.dirac_gan import DiracGAN, descend, dirac_gans, penalty_limit
from fashion_dgm.gans import objectives

Array = NDArray[np.float64]
CLIP, WEIGHT, R1 = 0.6, 0.3, 0.5


def config(**changes: float) -> DiracConfig:
    values = {"clip": CLIP, "gradient_penalty": WEIGHT, "r1": R1, **changes}
    return DiracConfig(start=(0.8, 0.0), step_size=0.1, steps=10, **values)


def radius(path: Array) -> Array:
    return np.hypot(*path.T)


def velocities(name: str, state: Tensor, r1: float = R1) -> Tensor:
    """Minus the gradients of the project's losses, each in its own network's parameter, at `(theta, psi)`."""
    theta, psi = state
    real = torch.zeros(1, dtype=state.dtype)
    scores = psi * real, psi * theta.reshape(1)
    if name in ("wgan", "clipped", "gradient_penalty"):
        losses = objectives.critic_generator_loss(scores[1]), objectives.critic_loss(*scores)
        if name == "gradient_penalty":
            losses = losses[0], losses[1] + WEIGHT * objectives.gradient_penalty(psi.abs().reshape(1))
    else:
        kind = "saturating" if name == "saturating" else "non_saturating"
        losses = objectives.objective(kind).generator(scores[1]), objectives.discriminator_loss(*scores)
        if name == "r1":
            losses = losses[0], losses[1] + r1 / 2 * psi.square()
    (of_generator,) = torch.autograd.grad(losses[0], theta, create_graph=True)
    (of_discriminator,) = torch.autograd.grad(losses[1], psi, create_graph=True)
    return -torch.stack((of_generator, of_discriminator))


def eigenvalues(field: Callable[[Tensor], Tensor], at: tuple[float, ...] = (0.0, 0.0)) -> Array:
    jacobian = torch.autograd.functional.jacobian(field, torch.tensor(at, dtype=torch.float64))
    return np.sort_complex(torch.linalg.eigvals(jacobian).numpy())


@pytest.mark.parametrize("name", dirac_gans(config()))
def test_velocities_are_minus_the_gradients_of_the_projects_losses(name: str) -> None:
    """docs/theory/convergence.md#the-dirac-gan"""
    model = dirac_gans(config())[name]
    for state in torch.randn(20, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64):
        expected = velocities(name, state.requires_grad_()).detach().numpy()
        found = [velocity(*state.detach().numpy()) for velocity in (model.generator, model.discriminator)]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    at_solution = velocities(name, torch.zeros(2, dtype=torch.float64, requires_grad=True))
    assert torch.equal(at_solution, torch.zeros(2, dtype=torch.float64))


@pytest.mark.parametrize("steps", [2, 9])
def test_learning_rates_change_the_units_only(steps: int) -> None:
    """docs/theory/convergence.md#the-dirac-gan"""
    # Many critic steps, each on the same theta, are one long step of the linear critic: rates n h and h.
    h = 0.01
    path = descend(dirac_gans(config())["wgan"], (0.8, 0.1), h, 300, discriminator_steps=steps)
    units = np.array([1 / math.sqrt(h), 1 / math.sqrt(steps * h)])
    same = descend(dirac_gans(config())["wgan"], tuple(path[0] * units), h * math.sqrt(steps), 300)
    np.testing.assert_allclose(path * units, same, atol=1e-10)


def test_eigenvalues_at_the_solution() -> None:
    """docs/theory/convergence.md#the-vector-field-rotates-about-the-solution

    And docs/theory/convergence.md#the-r1-penalty-makes-the-solution-attractive
    """
    for name, omega in (("saturating", 0.5), ("non_saturating", 0.5), ("wgan", 1.0)):
        found = eigenvalues(lambda state, name=name: velocities(name, state))
        np.testing.assert_allclose(found, [-1j * omega, 1j * omega], atol=1e-12)
    for gamma in (0.1, 0.5, 1.5, 4.0):
        found = eigenvalues(lambda state, gamma=gamma: velocities("r1", state, gamma))
        root = np.emath.sqrt(gamma**2 - 1)
        np.testing.assert_allclose(found, np.sort_complex([(-gamma - root) / 2, (-gamma + root) / 2]), atol=1e-12)
        assert found.real.max() < 0


def flow(model: DiracGAN, start: tuple[float, float], times: Array) -> Array:
    solution = solve_ivp(
        lambda _, state: np.array(model.field(*state)),
        (0, times[-1]),
        start,
        method="DOP853",
        t_eval=times,
        rtol=1e-9,
        atol=1e-11,
    )
    return solution.y.T


def test_the_flow_keeps_its_radius_or_loses_it_slowly() -> None:
    """docs/theory/convergence.md#the-vector-field-rotates-about-the-solution"""
    models, times = dirac_gans(config()), np.array([0.0, 3.0, 30.0, 1000.0, 2000.0])
    for name in ("saturating", "wgan"):
        np.testing.assert_allclose(radius(flow(models[name], (0.9, 0.4), times)), math.hypot(0.9, 0.4), rtol=1e-5)
    slow = radius(flow(models["non_saturating"], (0.9, 0.4), times))
    assert (np.diff(slow) < 0).all()
    # 1/r^2 grows by t/8 from its value at the start, up to what averaging neglects, of relative order r^2.
    expected = 1 / np.sqrt(1 / slow[0] ** 2 + times / 8)
    np.testing.assert_allclose(slow[3:], expected[3:], rtol=0.02)


def test_simultaneous_steps_spiral_outwards() -> None:
    """docs/theory/convergence.md#simultaneous-steps-spiral-outwards-alternating-steps-circle"""
    models = dirac_gans(config())
    for h in (0.05, 0.3):
        away = radius(descend(models["wgan"], (0.8, 0.3), h, 200, simultaneous=True))
        np.testing.assert_allclose(away[1:] / away[:-1], math.sqrt(1 + h**2))
        assert (np.diff(radius(descend(models["saturating"], (0.8, 0.3), h, 2000, simultaneous=True))) > 0).all()
    for start in ((0.05, 0.0), (1.5, 0.0)):
        for h in (0.05, 0.1):
            last = radius(descend(models["non_saturating"], start, h, 60_000, simultaneous=True))[-2000:]
            # Within the cycle the radius breathes by about h.
            np.testing.assert_allclose(last, math.sqrt(2 * h), rtol=h)
            assert last.mean() == pytest.approx(math.sqrt(2 * h), rel=2e-3)


def test_alternating_steps_circle() -> None:
    """docs/theory/convergence.md#simultaneous-steps-spiral-outwards-alternating-steps-circle"""
    models = dirac_gans(config())
    for h, n in ((0.1, 1), (0.5, 1), (0.1, 5), (0.3, 20)):
        path = descend(models["wgan"], (0.8, 0.3), h, 20_000, discriminator_steps=n)
        theta, psi = path.T
        quadratic = n * theta**2 + psi**2 - n * h * theta * psi
        np.testing.assert_allclose(quadratic, quadratic[0], rtol=1e-9)
        widest = 2 * np.abs(path).max(axis=0)
        assert abs(psi[1:].mean()) <= widest[0] / (h * 20_000)
        assert abs(theta[:-1].mean()) <= widest[1] / (n * h * 20_000)
        step = np.array([[1 - n * h**2, h], [-n * h, 1]])
        np.testing.assert_allclose(path[1:50], path[:49] @ step.T, atol=1e-12)
        np.testing.assert_allclose(np.abs(np.linalg.eigvals(step)), 1, rtol=1e-12)
    assert radius(descend(models["wgan"], (0.8, 0.3), 0.5, 200, discriminator_steps=20))[-1] > 1e6  # n h^2 = 5
    # The linear part of the GANs' step, by differences of the step itself.
    for name in ("saturating", "non_saturating"):
        tiny = 1e-6
        step = np.array([descend(models[name], start, 0.4, 1)[1] / tiny for start in ((tiny, 0.0), (0.0, tiny))]).T
        np.testing.assert_allclose(step, [[1 - 0.2**2, 0.2], [-0.2, 1]], atol=1e-9)
        np.testing.assert_allclose(np.abs(np.linalg.eigvals(step)), 1, rtol=1e-9)
    slow = radius(descend(models["non_saturating"], (0.9, 0.4), 0.1, 100_000))
    assert slow[-300:].mean() == pytest.approx(math.sqrt(8 / (0.1 * 100_000)), rel=0.02)
    circling = radius(descend(models["saturating"], (0.9, 0.4), 0.1, 100_000))
    assert circling.min() > 0.93 * circling[0]
    assert circling.max() < 1.07 * circling[0]


@pytest.mark.parametrize("n", [1, 5])
def test_a_clipped_critic_circles_at_its_bound(n: int) -> None:
    """docs/theory/convergence.md#weight-clipping-leads-to-a-cycle"""
    model = dirac_gans(config())["clipped"]
    h = 0.001
    for start in ((2.0, 0.0), (0.9, -0.5)):
        theta, psi = descend(model, start, h, 30_000, discriminator_steps=n)[-20_000:].T
        assert np.abs(psi).max() == pytest.approx(CLIP, rel=1e-2)
        assert np.abs(theta).max() == pytest.approx(CLIP / math.sqrt(n), rel=1e-2)
        np.testing.assert_allclose(n * theta**2 + psi**2, CLIP**2, rtol=0.03)
    # Within the bound it is the WGAN without one.
    small = (0.3 / math.sqrt(n), 0.0)
    free = descend(dirac_gans(config())["wgan"], small, h, 5000, discriminator_steps=n)
    np.testing.assert_array_equal(descend(model, small, h, 5000, discriminator_steps=n), free)
    times = np.linspace(0, 60, 600)
    np.testing.assert_allclose(radius(flow(model, (2.0, 0.0), times))[300:], CLIP, rtol=1e-2)


@pytest.mark.parametrize("weight", [0.3, 1.0, 10.0])
@pytest.mark.parametrize("n", [1, 5, 20])
def test_wgan_gp_is_driven_from_the_solution(weight: float, n: int) -> None:
    """docs/theory/convergence.md#wgan-gp-does-not-converge-to-the-solution"""
    model = dirac_gans(config(gradient_penalty=weight))["gradient_penalty"]
    h = 0.5 / weight
    rng = np.random.default_rng(0)
    theta = rng.uniform(-weight / 2, weight / 2, 5000)
    psi = rng.choice([-1, 1], 5000) * 10 ** rng.uniform(-9, 0.5, 5000)
    for _ in range(n):
        psi = psi + h * model.discriminator(theta, psi)
        assert np.abs(psi).min() >= h * weight / 2 * (1 - 1e-12)
    for simultaneous in (True, False) if n == 1 else (False,):
        path = descend(model, (1e-3, 1e-5), 0.01 / weight, 10_000, n, simultaneous)
        assert radius(path)[len(path) // 2 :].min() > 0.1 / math.sqrt(n)


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("weight", [0.1, 0.3, 1.0, 10.0])
def test_wgan_gp_ends_in_its_cycle_or_in_the_wrong_place(weight: float, n: int) -> None:
    """docs/theory/convergence.md#wgan-gp-does-not-converge-to-the-solution"""
    model = dirac_gans(config(gradient_penalty=weight))["gradient_penalty"]
    farthest, cycles = penalty_limit(weight, n)
    assert cycles == (weight * math.sqrt(n) < 1)
    for start in ((0.01, 0.01), (3.0, 0.0)):
        h = 0.002 if cycles else 0.01
        end = descend(model, start, h, 40_000, discriminator_steps=n)[-12_000:]
        if cycles:
            # A whole turn takes 2 pi / sqrt(n) at least, 3142 steps; the path differs from the flow's by O(h).
            assert np.abs(end[:, 0]).max() == pytest.approx(farthest, rel=1e-2)
            assert end[:, 0].min() < 0 < end[:, 0].max()
        else:
            np.testing.assert_allclose(np.abs(end[-1]), [2 * weight, 0], atol=1e-3)


def test_in_the_plane_wgan_gp_circles_the_data_at_distance_one() -> None:
    """docs/theory/convergence.md#wgan-gp-does-not-converge-to-the-solution"""
    for weight in (0.3, 1.0, 10.0):

        def field(state: Tensor, weight: float = weight) -> Tensor:
            theta, w = state[:2], state[2:]
            return torch.cat((w, -theta - 2 * weight * (1 - 1 / w.norm()) * w))

        # It is minus the gradient of the critic's loss, and the generator's.
        state = torch.tensor([0.3, -0.7, 1.2, 0.4], dtype=torch.float64, requires_grad=True)
        score = (state[:2] @ state[2:]).reshape(1)
        critic = objectives.critic_loss(torch.zeros(1), score)
        critic = critic + weight * objectives.gradient_penalty(state[2:].norm().reshape(1))
        expected = -torch.autograd.grad(critic, state, retain_graph=True)[0][2:]
        torch.testing.assert_close(field(state)[2:], expected)
        (generator,) = torch.autograd.grad(objectives.critic_generator_loss(score), state)
        torch.testing.assert_close(field(state)[:2], -generator[:2])

        def turning(state: Tensor, field: Callable[[Tensor], Tensor] = field) -> Tensor:
            """The field in coordinates that turn with the cycle, on which it is at rest at (1, 0, 0, 1)."""
            still = torch.stack((state[1], -state[0], state[3], -state[2]))
            return field(state) + still

        at = (1.0, 0.0, 0.0, 1.0)
        assert turning(torch.tensor(at, dtype=torch.float64)).abs().max() == 0
        found = eigenvalues(turning, at)
        np.testing.assert_allclose(
            np.sort_complex(found), np.sort_complex(np.roots([1, 2 * weight, 4, 4 * weight, 0])), atol=1e-6
        )
        assert np.sort(found.real)[-2] < 0

        def fast(_: float, y: Array, weight: float = weight) -> Array:
            return np.concatenate((y[2:], -y[:2] - 2 * weight * (1 - 1 / np.linalg.norm(y[2:])) * y[2:]))

        np.testing.assert_allclose(fast(0, state.detach().numpy()), field(state).detach().numpy())
        solution = solve_ivp(fast, (0, 150), [0.1, 0.2, 0.3, -0.1], rtol=1e-6)
        theta, w = solution.y[:2, -1], solution.y[2:, -1]
        assert np.linalg.norm(theta) == pytest.approx(1, abs=1e-3)
        assert np.linalg.norm(w) == pytest.approx(1, abs=1e-3)
        assert theta @ w == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("gamma", [0.1, 0.5, 1.0, 3.0])
def test_r1_converges(gamma: float) -> None:
    """docs/theory/convergence.md#the-r1-penalty-makes-the-solution-attractive"""
    model = dirac_gans(config(r1=gamma))["r1"]
    for start in ((0.8, 0.3), (-3.0, 2.0)):
        for simultaneous in (True, False):
            path = radius(descend(model, start, 0.05, 20_000, simultaneous=simultaneous))
            assert path[-1] < 1e-6
    # The slower of the two rates, over a stretch in which the path is near enough for the linear part to rule.
    rate = (gamma - math.sqrt(max(gamma**2 - 1, 0))) / 2
    if gamma != 1:
        early, late = (
            radius(flow(model, (1e-3, 2e-3), np.array([0.0, time])))[-1] for time in (20.0, 20.0 + 8 * math.pi)
        )
        assert math.log(early / late) / (8 * math.pi) == pytest.approx(rate, rel=0.15)
    # Beyond h = 4 gamma a simultaneous step is no contraction any more.
    if gamma < 1:
        assert radius(descend(model, (0.01, 0.0), 4.2 * gamma, 2000, simultaneous=True))[-1] > 0.05
        assert radius(descend(model, (0.01, 0.0), 3.8 * gamma, 20_000, simultaneous=True))[-1] < 1e-6
