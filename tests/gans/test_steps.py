import copy
import re
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from fashion_dgm.config import AdamConfig, GANConfig, RMSpropConfig, SpectralNormConfig, WGANConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.gans import objectives
from fashion_dgm.gans.steps import AdversarialStep

COMMON = {
    "epochs": 1,
    "batch_size": 16,
    "seed": 0,
    "device": "cpu",
    "precision": "float32",
    "latent_dim": 10,
    "width": 4,
    "snapshot_every": 1,
}
CPU = torch.device("cpu")


ADAM = AdamConfig(name="adam", learning_rate=2e-4, betas=(0.5, 0.999))
RMSPROP = RMSpropConfig(name="rmsprop", learning_rate=2e-4)
CLIP = {"name": "clip", "bound": 0.01}
PENALTY = {"name": "gradient_penalty", "weight": 10}
SPECTRAL = {"name": "spectral_norm"}


def make_gan(precision: torch.dtype = torch.float32, **changes: Any) -> AdversarialStep:
    return AdversarialStep(GANConfig(**COMMON, optimizer=ADAM, **changes), CPU, precision)


def make_wgan(precision: torch.dtype = torch.float32, **changes: Any) -> AdversarialStep:
    values = {**COMMON, "optimizer": RMSPROP, "n_critic": 3, "lipschitz": CLIP, **changes}
    return AdversarialStep(WGANConfig(**values), CPU, precision)


def make_wgan_gp(precision: torch.dtype = torch.float32, **changes: Any) -> AdversarialStep:
    return make_wgan(precision, lipschitz=PENALTY, normalisation={"discriminator": "layer"}, **changes)


def make_wgan_sn(precision: torch.dtype = torch.float32, **changes: Any) -> AdversarialStep:
    return make_wgan(precision, lipschitz=SPECTRAL, normalisation={"discriminator": "none"}, **changes)


def make_averaged(precision: torch.dtype = torch.float32) -> AdversarialStep:
    return make_gan(precision, ema_decay=0.9, n_discriminator=2, objective="saturating")


MAKERS = pytest.mark.parametrize("make", [make_gan, make_averaged, make_wgan, make_wgan_gp, make_wgan_sn])


def batch(seed: int = 0) -> torch.Tensor:
    return torch.randint(256, (16, 1, 28, 28), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def weights(step: AdversarialStep, name: str) -> list[torch.Tensor]:
    return [p.detach().clone() for p in step.networks()[name].parameters()]


def moved(before: list[torch.Tensor], after: list[torch.Tensor]) -> bool:
    return any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_gan_step_moves_both_networks() -> None:
    step = make_gan()
    before = weights(step, "generator"), weights(step, "discriminator")
    step.step(batch(), torch.zeros(16))
    assert moved(before[0], weights(step, "generator"))
    assert moved(before[1], weights(step, "discriminator"))


def test_generator_moves_at_every_n_critic_th_step_only() -> None:
    step = make_wgan()
    for number in range(1, 7):
        before = weights(step, "generator")
        metrics = step.step(batch(number), torch.zeros(16))
        assert moved(before, weights(step, "generator")) == (number % 3 == 0)
        assert ("loss_generator" in metrics) == (number % 3 == 0)


def test_critic_stays_within_the_clip() -> None:
    step = make_wgan()
    for number in range(3):
        metrics = step.step(batch(number), torch.zeros(16))
        assert max(p.abs().max() for p in step.discriminator.parameters()) <= 0.01
    assert 0 < metrics["clipped_fraction"] <= 1


def test_wasserstein_estimate_is_minus_the_critic_loss() -> None:
    metrics = make_wgan().step(batch(), torch.zeros(16))
    torch.testing.assert_close(metrics["wasserstein_estimate"], -metrics["loss_discriminator"])


@MAKERS
def test_metrics_that_mean_the_same_have_the_same_name(make) -> None:
    step = make()
    names = set()
    for number in range(3):
        names |= set(step.step(batch(number), torch.zeros(16)))
    shared = {"loss_discriminator", "loss_generator", "score_real", "score_fake"}
    assert shared | {"gradient_norm_discriminator", "gradient_norm_generator"} <= names


@MAKERS
def test_discriminator_takes_gradients_again_after_a_step(make) -> None:
    step = make()
    for number in range(3):
        step.step(batch(number), torch.zeros(16))
    assert all(p.requires_grad for p in step.discriminator.parameters())


@MAKERS
def test_state_continues_bit_for_bit(make) -> None:
    torch.manual_seed(0)
    one = make()
    one.step(batch(0), torch.zeros(16))
    state = copy.deepcopy(one.state_dict())
    torch.manual_seed(7)
    other = make()
    other.load_state_dict(state)
    for step in (one, other):
        torch.manual_seed(1)
        for number in range(1, 5):
            step.step(batch(number), torch.zeros(16))
    for name in one.networks():
        assert not moved(weights(one, name), weights(other, name))


@MAKERS
def test_bfloat16_step_is_near_the_float32_one(make) -> None:
    results = []
    for precision in (torch.float32, torch.bfloat16):
        torch.manual_seed(0)
        results.append(make(precision).step(batch(), torch.zeros(16)))
    for name in ("loss_discriminator", "score_real", "score_fake"):
        assert results[1][name].dtype == torch.float32
        torch.testing.assert_close(results[0][name], results[1][name], rtol=0.05, atol=0.02)


@MAKERS
def test_no_metric_leaves_the_graph_behind(make) -> None:
    step = make()
    for number in range(3):
        assert not any(value.requires_grad for value in step.step(batch(number), torch.zeros(16)).values())


@pytest.mark.parametrize("n_discriminator", [1, 3])
def test_discriminator_may_take_more_steps_than_the_generator(n_discriminator: int) -> None:
    step = make_gan(n_discriminator=n_discriminator)
    turns = []
    for number in range(6):
        before = weights(step, "generator"), weights(step, "discriminator")
        turns.append("loss_generator" in step.step(batch(number), torch.zeros(16)))
        assert moved(before[0], weights(step, "generator")) == turns[-1]
        assert moved(before[1], weights(step, "discriminator"))
    assert turns == [(number + 1) % n_discriminator == 0 for number in range(6)]


@pytest.mark.parametrize(("n_discriminator", "objective"), [(1, "saturating"), (1, "non_saturating")])
def test_objective_decides_the_generators_loss(n_discriminator: int, objective: str) -> None:
    loss = make_gan(objective=objective).step(batch(), torch.zeros(16))["loss_generator"]
    assert (loss < 0) == (objective == "saturating")


def test_warmup_follows_the_authors_schedule() -> None:
    """Arjovsky et al.'s code: 100 critic steps if gen_iterations < 25 or gen_iterations % 500 == 0, else n_critic."""
    step = make_wgan(warmup={"critic_steps": 100, "generator_steps": 25, "every": 500})
    wanted = [100 if number < 25 or number % 500 == 0 else 3 for number in range(1002)]
    found = []
    for number in range(1002):
        step.generator_steps = number
        found.append(step.steps_per_turn())
    assert found == wanted


def test_warmup_counts_critic_steps() -> None:
    step = make_wgan(warmup={"critic_steps": 4, "generator_steps": 2, "every": 5})
    turns = ["loss_generator" in step.step(batch(number), torch.zeros(16)) for number in range(28)]
    # Generator steps 0 and 1 wait for 4, steps 2 to 4 for n_critic = 3, step 5 for 4 again.
    assert [number + 1 for number, turn in enumerate(turns) if turn] == [4, 8, 11, 14, 17, 21, 24, 27]


def test_critic_under_a_penalty_approaches_gradient_norm_one() -> None:
    torch.manual_seed(0)
    optimizer = AdamConfig(name="adam", learning_rate=1e-3, betas=(0.5, 0.9))
    step = make_wgan(lipschitz=PENALTY, normalisation={"discriminator": "none"}, optimizer=optimizer, n_critic=1000)
    metrics = [step.step(batch(number), torch.zeros(16)) for number in range(60)]
    assert metrics[0]["critic_gradient_norm"] < 0.5
    assert metrics[-1]["critic_gradient_norm"].item() == pytest.approx(1, abs=0.2)
    assert metrics[-1]["wasserstein_estimate"] > 10 * metrics[0]["wasserstein_estimate"].abs()


def test_loss_of_a_penalised_critic_is_the_sum() -> None:
    metrics = make_wgan_gp().step(batch(), torch.zeros(16))
    expected = -metrics["wasserstein_estimate"] + 10 * metrics["gradient_penalty"]
    torch.testing.assert_close(metrics["loss_discriminator"], expected)
    assert "clipped_fraction" not in metrics


def test_moving_average_follows_generator_steps_alone() -> None:
    step = make_gan(ema_decay=0.5, n_discriminator=2)
    assert step.average is not None
    expected, done = weights(step, "generator"), 0
    for number in range(8):
        turn = "loss_generator" in step.step(batch(number), torch.zeros(16))
        if turn:
            decay = min(0.5, (1 + done) / (10 + done))
            expected = [decay * a + (1 - decay) * w for a, w in zip(expected, weights(step, "generator"), strict=True)]
            done += 1
        torch.testing.assert_close(weights(step, "average"), expected)
    assert done == 4


BAD = [
    ({"lipschitz": {"name": "spectral_norm", "bound": 0.01}}, "lipschitz.spectral_norm.bound"),
    ({"lipschitz": PENALTY}, "normalisation.discriminator to none or layer"),
    ({"lipschitz": PENALTY, "normalisation": {"discriminator": "layer"}, "speed": {"compile": "default"}}, "compile"),
    ({"lipschitz": {"name": "weight_decay"}}, "'clip', 'gradient_penalty', 'spectral_norm'"),
    ({"lipschitz": {"name": "clip", "bound": 0}}, "greater than 0"),
    ({"normalisation": {"generator": "layer"}}, "'batch' or 'none'"),
    ({"ema_decay": 1.0}, "less than 1"),
    ({"ema_decay": 0.0}, "greater than 0"),
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
    still = ADAM.model_copy(update={"learning_rate": 1e-30})
    step = make_gan(discriminator_optimizer=RMSPROP, generator_optimizer=still)
    before = weights(step, "generator"), weights(step, "discriminator")
    step.step(batch(), torch.zeros(16))
    torch.testing.assert_close(before[0], weights(step, "generator"), rtol=0, atol=1e-20)
    assert moved(before[1], weights(step, "discriminator"))
    assert isinstance(step.discriminator_optimizer, torch.optim.RMSprop)
    assert isinstance(step.generator_optimizer, torch.optim.Adam)


def test_learning_rates_follow_the_schedule_in_steps_of_their_own_network() -> None:
    step = make_gan(n_discriminator=2, schedule={"warmup_steps": 3})
    for number in range(4):
        step.step(batch(number), torch.zeros(16))
    assert step.discriminator_optimizer.param_groups[0]["lr"] == pytest.approx(2e-4)
    assert step.generator_optimizer.param_groups[0]["lr"] == pytest.approx(2e-4 * 2 / 4)


def test_new_latents_of_the_generators_turn_are_a_parameter() -> None:
    made = []
    for new_latents in (False, True):
        step = make_gan(new_latents=new_latents)
        drawn: list[torch.Tensor] = []
        latents = step._latents
        step._latents = lambda n, latents=latents, drawn=drawn: drawn.append(latents(n)) or drawn[-1]
        step.step(batch(), torch.zeros(16))
        made.append(len(drawn))
    assert made == [1, 2]


@pytest.mark.parametrize("objective", objectives.OBJECTIVES)
@pytest.mark.parametrize("lipschitz", [None, CLIP, PENALTY, SPECTRAL])
def test_every_objective_trains_under_every_constraint(objective: str, lipschitz: dict[str, Any] | None) -> None:
    step = make_gan(objective=objective, lipschitz=lipschitz, normalisation={"discriminator": "layer"})
    before = weights(step, "generator"), weights(step, "discriminator")
    metrics = step.step(batch(), torch.zeros(16))
    assert all(bool(value.isfinite()) for value in metrics.values())
    assert ("gradient_penalty" in metrics) == (lipschitz == PENALTY)
    assert moved(before[0], weights(step, "generator")) and moved(before[1], weights(step, "discriminator"))


def test_null_takes_away_what_a_lower_configuration_gave() -> None:
    merged = {"name": "spectral_norm", "bound": None, "power_iterations": 2}
    assert make_wgan(lipschitz=merged).config.lipschitz == SpectralNormConfig(name="spectral_norm", power_iterations=2)
