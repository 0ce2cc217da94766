"""Training steps of flows, beyond what every family's must keep: tests/training/test_every_step.py."""

import pytest
import torch

from fashion_dgm.errors import FashionDGMError
from tests.small import flow_config, make_step, realnvp_config, residual_config, run_steps

CONFIG = flow_config(optimizer={"name": "adam", "learning_rate": 5e-3})


@pytest.mark.parametrize("model", [realnvp_config(), residual_config()], ids=["RealNVP", "ResidualFlow"])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
def test_bits_per_dim_fall_and_the_learning_rate_rises(model, precision):
    config = CONFIG.model_copy(update={"model": model, "schedule": flow_config(schedule={"warmup_steps": 4}).schedule})
    step = make_step(config, precision)
    history = run_steps(step, range(3))
    assert step.optimizer.param_groups[0]["lr"] == pytest.approx(3 / 5 * 5e-3)
    history += run_steps(step, range(3, 20))
    assert set(history[0]) == {"bits_per_dim", "gradient_norm"}
    assert history[-1]["bits_per_dim"] < history[0]["bits_per_dim"] - 0.3


def test_the_ema_model_is_evaluated_and_neither_it_nor_its_evaluation_reaches_the_training():
    step, plain = make_step(CONFIG.model_copy(update={"ema_decay": 0.9})), make_step(CONFIG)
    for one in (step, plain):
        run_steps(one, range(2))
        one.evaluated.bits_per_dim(torch.zeros(2, 1, 28, 28, dtype=torch.uint8))
        run_steps(one, range(2, 3))
    assert step.ema is not None and step.evaluated is step.ema.average
    assert not torch.equal(next(step.evaluated.parameters()), next(step.flow.parameters()))
    assert plain.evaluated is plain.flow
    assert all(map(torch.equal, plain.flow.parameters(), step.flow.parameters()))


def test_gradients_are_clipped():
    step = make_step(CONFIG.model_copy(update={"max_gradient_norm": 1e-3}))
    (metrics,) = run_steps(step, range(1))
    norm = torch.nn.utils.get_total_norm([parameter.grad for parameter in step.flow.parameters()])
    assert metrics["gradient_norm"] > 1e-2
    torch.testing.assert_close(norm, torch.tensor(1e-3), rtol=1e-3, atol=0)


@pytest.mark.parametrize("bad", [torch.zeros(2, 1, 28, 28), torch.zeros(2, 1, 14, 14, dtype=torch.uint8)])
def test_bad_images_are_refused(bad):
    with pytest.raises(FashionDGMError):
        make_step(CONFIG).step(bad)
