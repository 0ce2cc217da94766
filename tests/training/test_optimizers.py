import pytest
import torch
from pydantic import ValidationError

from fashion_dgm.config import AdamWConfig, ScheduleConfig
from fashion_dgm.training.optimizers import make_optimizer, set_learning_rate


def rates(schedule: ScheduleConfig, steps: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    found = []
    for step in range(steps):
        set_learning_rate(optimizer, 2.0, schedule, step)
        found.append(optimizer.param_groups[0]["lr"])
    return found


def test_rises_and_falls_in_straight_lines_and_stays_at_zero() -> None:
    assert rates(ScheduleConfig(warmup_steps=1, final_step=6), 8) == pytest.approx([1, 2, 2, 1.5, 1, 0.5, 0, 0])
    assert rates(ScheduleConfig(final_step=4), 5) == pytest.approx([2, 2, 4 / 3, 2 / 3, 0])


def test_halves_again_and_again() -> None:
    assert rates(ScheduleConfig(warmup_steps=1, half_life_steps=2), 6)[1::2] == pytest.approx([2, 1, 0.5])


def test_an_end_within_the_warm_up_is_refused() -> None:
    with pytest.raises(ValidationError, match="after the warm-up"):
        ScheduleConfig(warmup_steps=5, final_step=6)


def test_weight_decay_is_decoupled_from_the_gradient() -> None:
    # Loshchilov and Hutter, algorithm 2: without a gradient, Adam with L2 takes a whole step, AdamW shrinks by lr * decay.
    weight = torch.tensor([2.0], requires_grad=True)
    optimizer = make_optimizer(AdamWConfig(name="adamw", learning_rate=0.1, weight_decay=0.5), [weight])
    weight.grad = torch.zeros(1)
    optimizer.step()
    assert weight.item() == pytest.approx(2.0 * (1 - 0.1 * 0.5))
