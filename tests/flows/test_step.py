from __future__ import annotations

import copy
import io

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fashion_dgm.config import AdamConfig, FlowTrainingConfig, ScheduleConfig, SpeedConfig
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import FlowStep
from tests.flows.conftest import realnvp_config, residual_config

CPU = torch.device("cpu")


def make_config(model: object) -> FlowTrainingConfig:
    # Only what a step reads, whatever the loop around it may come to need.
    return FlowTrainingConfig.model_construct(
        model=model,
        optimizer=AdamConfig(name="adam", learning_rate=5e-3),
        max_gradient_norm=10.0,
        speed=SpeedConfig(channels_last=False),
    )


@pytest.fixture
def config() -> FlowTrainingConfig:
    return make_config(realnvp_config())


@pytest.fixture
def images() -> torch.Tensor:
    """Smooth blobs on black, so that there is something to learn."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(16, 1, 4, 4, generator=generator) - 0.5
    smooth = torch.nn.functional.interpolate(coarse, (28, 28), mode="bilinear").clamp_min(0)
    return (smooth * 510).to(torch.uint8)


@pytest.fixture(params=[torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
def precision(request) -> torch.dtype:
    return request.param


def make_step(config: FlowTrainingConfig, precision: torch.dtype, seed: int = 0) -> FlowStep:
    torch.manual_seed(seed)
    return FlowStep(config, CPU, precision)


def run(step: FlowStep, images: torch.Tensor, seeds: range) -> list[dict[str, float]]:
    history = []
    for seed in seeds:
        torch.manual_seed(seed)
        history.append({name: value.item() for name, value in step.step(images).items()})
    return history


FLOWS = pytest.mark.parametrize("model", [realnvp_config(), residual_config()], ids=["RealNVP", "ResidualFlow"])


@FLOWS
def test_bits_per_dim_fall(model, images, precision):
    history = run(make_step(make_config(model), precision), images, range(25))
    assert history[-1]["bits_per_dim"] < history[0]["bits_per_dim"] - 0.3


def test_metrics_are_detached_scalars(config, images, precision):
    metrics = make_step(config, precision).step(images, torch.zeros(16, dtype=torch.int64))
    assert set(metrics) == {"bits_per_dim", "gradient_norm"}
    for value in metrics.values():
        assert value.shape == ()
        assert value.dtype == torch.float32
        assert not value.requires_grad
        assert value.isfinite()


@FLOWS
@pytest.mark.parametrize("ema_decay", [None, 0.5])
def test_a_saved_step_goes_on_bit_for_bit(model, images, precision, ema_decay):
    schedule = ScheduleConfig(warmup_steps=4, half_life_steps=2)
    config = make_config(model).model_copy(update={"ema_decay": ema_decay, "schedule": schedule})
    step = make_step(config, precision)
    run(step, images, range(3))
    assert step.optimizer.param_groups[0]["lr"] == pytest.approx(3 / 5 * config.optimizer.learning_rate)
    file = io.BytesIO()
    torch.save(step.state_dict(), file)
    # What evaluation leaves behind in the average must not reach the training.
    step.evaluated.bits_per_dim(images)
    expected = run(step, images, range(3, 6))

    file.seek(0)
    resumed = make_step(config, precision, seed=99)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    assert run(resumed, images, range(3, 6)) == expected
    for flow, theirs in ((step.flow, resumed.flow), (step.evaluated, resumed.evaluated)):
        other = theirs.state_dict()
        assert all(torch.equal(value, other[name]) for name, value in flow.state_dict().items())


def test_the_ema_model_is_evaluated(config, images):
    step = make_step(config.model_copy(update={"ema_decay": 0.9}), torch.float32)
    run(step, images, range(3))
    assert step.ema is not None and step.evaluated is step.ema.average
    assert not torch.equal(next(step.evaluated.parameters()), next(step.flow.parameters()))
    plain = make_step(config, torch.float32)
    run(plain, images, range(3))
    # Averaging changes what is kept, and not what is learnt.
    assert plain.evaluated is plain.flow
    assert all(map(torch.equal, plain.flow.parameters(), step.flow.parameters()))


def test_gradients_are_clipped(config, images):
    step = make_step(config.model_copy(update={"max_gradient_norm": 1e-3}), torch.float32)
    metrics = step.step(images)
    norm = torch.nn.utils.get_total_norm([parameter.grad for parameter in step.flow.parameters()])
    assert metrics["gradient_norm"] > 1e-2
    torch.testing.assert_close(norm, torch.tensor(1e-3), rtol=1e-3, atol=0)


class NoReads(TorchDispatchMode):
    """Fails where a value of a tensor is read by Python, which on an accelerator waits for all work before it."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func is not torch.ops.aten._local_scalar_dense.default, "a step reads a tensor"
        return func(*args, **(kwargs or {}))


def test_no_step_waits_for_the_device(config, images, precision):
    step = make_step(config, precision)
    state = copy.deepcopy(step.state_dict())
    with NoReads():
        step.step(images)
        step.step(images)
    step.load_state_dict(state)
    with NoReads():
        step.step(images)
    with pytest.raises(AssertionError, match="reads a tensor"), NoReads():
        bool(torch.tensor(True))


@pytest.mark.parametrize("bad", [torch.zeros(2, 1, 28, 28), torch.zeros(2, 1, 14, 14, dtype=torch.uint8)])
def test_bad_images_are_refused(config, bad):
    with pytest.raises(FashionDGMError):
        make_step(config, torch.float32).step(bad)
