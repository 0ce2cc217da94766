import re
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from fashion_dgm.config import AdversarialConfig, SpectralNormConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.gans import objectives
from fashion_dgm.gans.steps import AdversarialStep
from tests.small import CLIP, PENALTY, SPECTRAL, gan_config, make_step, run_steps, wgan_config

ADAM = {"name": "adam", "learning_rate": 2e-4, "betas": (0.5, 0.999)}
RMSPROP = {"name": "rmsprop", "learning_rate": 2e-4}


def make_gan(**changes: Any) -> AdversarialStep:
    return make_step(gan_config(**{"optimizer": ADAM, **changes}))


def make_wgan(**changes: Any) -> AdversarialStep:
    return make_step(wgan_config(**{"optimizer": RMSPROP, **changes}))


def weights(step: AdversarialStep, name: str) -> list[torch.Tensor]:
    return [p.detach().clone() for p in step.networks()[name].parameters()]


def moved(before: list[torch.Tensor], after: list[torch.Tensor]) -> bool:
    return any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


WARMUP = {"critic_steps": 4, "generator_steps": 2, "every": 5}
TURNS = {
    "gan": (gan_config(), [1, 2, 3, 4, 5, 6]),
    "several discriminator steps": (gan_config(n_discriminator=3), [3, 6]),
    "wgan": (wgan_config(), [3, 6]),
    # Generator steps 0 and 1 wait for 4, steps 2 to 4 for n_critic = 3, step 5 for 4 again.
    "warm-up": (wgan_config(warmup=WARMUP), [4, 8, 11, 14, 17, 21, 24, 27]),
}


@pytest.mark.parametrize(("config", "turns"), TURNS.values(), ids=TURNS)
def test_the_discriminator_learns_at_every_step_and_the_generator_at_its_turns(
    config: AdversarialConfig, turns: list[int]
) -> None:
    step, found, names = make_step(config), [], set()
    for number in range(1, turns[-1] + 1):
        before = weights(step, "generator"), weights(step, "discriminator")
        (metrics,) = run_steps(step, range(number, number + 1))
        assert moved(before[1], weights(step, "discriminator"))
        assert moved(before[0], weights(step, "generator")) == ("loss_generator" in metrics)
        found += [number] if "loss_generator" in metrics else []
        names |= set(metrics)
        # It takes gradients again after the generator's turn.
        assert all(p.requires_grad for p in step.discriminator.parameters())
    assert found == turns
    # What means the same has the same name.
    shared = {f"{kind}_{name}" for kind in ("loss", "gradient_norm") for name in ("discriminator", "generator")}
    assert shared | {"score_real", "score_fake"} <= names


def test_the_critics_loss_is_minus_its_estimate_and_the_penalty_and_clipped_weights_stay_within_the_bound() -> None:
    step = make_wgan()
    for metrics in run_steps(step, range(3)):
        torch.testing.assert_close(metrics["loss_discriminator"], -metrics["wasserstein_estimate"])
        assert max(p.abs().max() for p in step.discriminator.parameters()) <= 0.01
        assert 0 < metrics["clipped_fraction"] <= 1
    (metrics,) = run_steps(make_wgan(lipschitz=PENALTY, normalisation={"discriminator": "layer"}), range(1))
    expected = -metrics["wasserstein_estimate"] + 10 * metrics["gradient_penalty"]
    torch.testing.assert_close(metrics["loss_discriminator"], expected)
    assert "clipped_fraction" not in metrics


def test_warmup_follows_the_authors_schedule() -> None:
    """Arjovsky et al.'s code: 100 critic steps if gen_iterations < 25 or gen_iterations % 500 == 0, else n_critic."""
    step = make_wgan(warmup={"critic_steps": 100, "generator_steps": 25, "every": 500})
    wanted = [100 if number < 25 or number % 500 == 0 else 3 for number in range(1002)]
    found = []
    for number in range(1002):
        step.generator_steps = number
        found.append(step.steps_per_turn())
    assert found == wanted


def test_critic_under_a_penalty_approaches_gradient_norm_one() -> None:
    optimizer = {"name": "adam", "learning_rate": 1e-3, "betas": (0.5, 0.9)}
    step = make_wgan(lipschitz=PENALTY, normalisation={"discriminator": "none"}, optimizer=optimizer, n_critic=1000)
    metrics = run_steps(step, range(60))
    assert metrics[0]["critic_gradient_norm"] < 0.5
    assert metrics[-1]["critic_gradient_norm"].item() == pytest.approx(1, abs=0.2)
    assert metrics[-1]["wasserstein_estimate"] > 10 * metrics[0]["wasserstein_estimate"].abs()


def test_moving_average_follows_generator_steps_alone() -> None:
    step, turns = make_gan(ema_decay=0.5, n_discriminator=2), []
    for number in range(4):
        before = weights(step, "average")
        (metrics,) = run_steps(step, range(number, number + 1))
        turns.append(moved(before, weights(step, "average")))
        assert turns[-1] == ("loss_generator" in metrics)
    assert turns == [False, True, False, True]


BAD = [
    ({"lipschitz": {"name": "spectral_norm", "bound": 0.01}}, "lipschitz.spectral_norm.bound"),
    ({"lipschitz": PENALTY}, "normalisation.discriminator to none or layer"),
    ({"lipschitz": PENALTY, "normalisation": {"discriminator": "layer"}, "speed": {"compile": "default"}}, "compile"),
    ({"lipschitz": {"name": "weight_decay"}}, "'clip', 'gradient_penalty', 'spectral_norm'"),
    ({"normalisation": {"generator": "layer"}}, "'batch' or 'none'"),
    ({"warmup": {"critic_steps": 100}}, "generator_steps"),
]


@pytest.mark.parametrize(("changes", "words"), BAD)
def test_what_cannot_be_trained_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(words)):
        make_wgan(**changes)


def test_unknown_objective_is_refused() -> None:
    with pytest.raises(FashionDGMError, match=r"no objective least_square; .*least_squares"):
        make_gan(objective="least_square")


def test_each_network_may_have_an_optimizer_of_its_own() -> None:
    """Two time-scale update rule: where one learning rate is next to nothing, that network stands still."""
    still = {**ADAM, "learning_rate": 1e-30}
    step = make_gan(discriminator_optimizer=RMSPROP, generator_optimizer=still)
    before = weights(step, "generator"), weights(step, "discriminator")
    run_steps(step, range(1))
    torch.testing.assert_close(before[0], weights(step, "generator"), rtol=0, atol=1e-20)
    assert moved(before[1], weights(step, "discriminator"))
    assert isinstance(step.discriminator_optimizer, torch.optim.RMSprop)
    assert isinstance(step.generator_optimizer, torch.optim.Adam)


def test_learning_rates_follow_the_schedule_in_steps_of_their_own_network() -> None:
    step = make_gan(n_discriminator=2, schedule={"warmup_steps": 3})
    run_steps(step, range(4))
    assert step.discriminator_optimizer.param_groups[0]["lr"] == pytest.approx(2e-4)
    assert step.generator_optimizer.param_groups[0]["lr"] == pytest.approx(2e-4 * 2 / 4)


def test_new_latents_of_the_generators_turn_are_a_parameter() -> None:
    made = []
    for new_latents in (False, True):
        step = make_gan(new_latents=new_latents)
        drawn: list[torch.Tensor] = []
        latents = step._latents
        step._latents = lambda n, latents=latents, drawn=drawn: drawn.append(latents(n)) or drawn[-1]
        run_steps(step, range(1))
        made.append(len(drawn))
    assert made == [1, 2]


@pytest.mark.parametrize("objective", objectives.OBJECTIVES)
@pytest.mark.parametrize("lipschitz", [None, CLIP, PENALTY, SPECTRAL])
def test_every_objective_trains_under_every_constraint(objective: str, lipschitz: dict[str, Any] | None) -> None:
    step = make_gan(objective=objective, lipschitz=lipschitz, normalisation={"discriminator": "layer"})
    before = weights(step, "generator"), weights(step, "discriminator")
    (metrics,) = run_steps(step, range(1))
    assert all(bool(value.isfinite()) for value in metrics.values())
    assert ("gradient_penalty" in metrics) == (lipschitz == PENALTY)
    assert moved(before[0], weights(step, "generator")) and moved(before[1], weights(step, "discriminator"))


def test_null_takes_away_what_a_lower_configuration_gave() -> None:
    merged = {"name": "spectral_norm", "bound": None, "power_iterations": 2}
    assert wgan_config(lipschitz=merged).lipschitz == SpectralNormConfig(name="spectral_norm", power_iterations=2)
