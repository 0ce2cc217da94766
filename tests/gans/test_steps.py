import copy

import pytest
import torch

from fashion_dgm.config import AdamConfig, GANConfig, RMSpropConfig, WGANConfig
from fashion_dgm.gans.steps import AdversarialStep, GANStep, WGANStep, clip_weights

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


def make_gan(precision: torch.dtype = torch.float32) -> GANStep:
    config = GANConfig(**COMMON, optimizer=AdamConfig(name="adam", learning_rate=2e-4, betas=(0.5, 0.999)))
    return GANStep(config, CPU, precision)


def make_wgan(precision: torch.dtype = torch.float32) -> WGANStep:
    optimizer = RMSpropConfig(name="rmsprop", learning_rate=2e-4)
    return WGANStep(WGANConfig(**COMMON, optimizer=optimizer, n_critic=3, clip=0.01), CPU, precision)


MAKERS = pytest.mark.parametrize("make", [make_gan, make_wgan])


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
    assert 0 < metrics["clipped_share"] <= 1


def test_clip_reports_the_share_at_the_bound() -> None:
    layer = torch.nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.5, 0.001]]))
        layer.bias.copy_(torch.tensor([-0.5]))
    assert clip_weights(layer, 0.01).item() == pytest.approx(2 / 3)
    torch.testing.assert_close(layer.weight.detach(), torch.tensor([[0.01, 0.001]]))


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
    for name in ("generator", "discriminator"):
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
